"""The check of the producers: of each publishing process every number that is owed is there, and once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from audit_sinks.verification.changes_log import ChangesLog, Kept, Span, changes_log
from audit_sinks.verification.checking import EXAMPLES, Checked, Fault, Note, Scope, Sources
from audit_sinks.verification.offset_check import newest_marks
from audit_sinks.verification.producer_numbers import Numbers
from audit_sinks.verification.producer_rules import Gap, Process, cut, owed, without
from audit_sinks.verification.unstored import Why, explain, understood, untraced

_AROUND = timedelta(minutes=10)
"""Before and behind a gap's neighbours: where its records are looked for in Kafka."""
_MOST_BEHIND = 1_000_000
"""Records behind the newest marks that are searched for a number."""

Instance = tuple[str, str]
"""Service and instance."""
Known = dict[Instance, set[int]]


@dataclass(slots=True)
class _Found:
    """What the rules make of all processes."""

    lost: list[Gap] = field(default_factory=list)
    uncertain: list[tuple[Sequence[Gap], int]] = field(default_factory=list)
    """Of each process: gaps, and how many of their numbers may be missing."""
    waiting: list[Gap] = field(default_factory=list)
    gone: list[Gap] = field(default_factory=list)


def check_producers(sources: Sources, scope: Scope) -> Checked:
    """Of each process that published or spoke in the scope the numbers have no gap, and none is there twice.

    What is owed say the rules of `producer_rules`. Numbers run over all accounts of a process: of an
    account all processes that published for it are looked at, with all that they published. A number that
    is nowhere in ClickHouse is looked for in Kafka, where it may be a repeat of an event that is stored, or
    on its way.

    Time grows with the rows of audit_events, of which the time of receipt is read; where a process is older
    than the scope, with what was received since it began. Memory on the server is a bit for each number, and
    where there are gaps a hundred bytes for each number of that process, up to a gibibyte; here it is some
    hundred bytes for each gap and for each number that is found in Kafka.
    """
    sources.tell("comparing the numbers of publishing processes with what is stored")
    now = (sources.complete_through or sources.now) - scope.grace
    numbers = Numbers(sources.client, scope, now)
    totals = numbers.totals()
    found = _judged(numbers, scope, now) if totals.suspects else _Found()
    found, unprovable = _explained(sources, scope, found)
    lost = [*found.lost, *(gap for gaps, _ in found.uncertain for gap in gaps)]
    twice = numbers.twice() if totals.repeating else (0, [])
    return Checked(
        checked=totals.numbers,
        of=f"numbers of {totals.processes:,} process{'' if totals.processes == 1 else 'es'}",
        faults={
            "missing": Fault(
                events=_count(found.lost) + sum(_count(gaps) - may for gaps, may in found.uncertain),
                examples=lost[:EXAMPLES],
                earliest=min((min(gap.neighbours) for gap in lost), default=None),
            ),
            "twice": Fault(events=twice[0], examples=twice[1]),
        },
        notes={
            "on_the_way": _note(found.waiting),
            "never_acknowledged": _note(found.gone),
            "no_longer_in_kafka": _note(unprovable),
        },
    )


def _judged(numbers: Numbers, scope: Scope, now: datetime) -> _Found:
    """Apply the rules to each process that is incomplete."""
    found = _Found()
    incomplete = list(numbers.incomplete())
    gaps: dict[Instance, list[Gap]] = {}
    for gap in numbers.gaps([process for process, inside in incomplete if inside]):
        gaps.setdefault((gap.service, gap.instance), []).append(gap)
    for process, _ in incomplete:
        missing = [*gaps.get((process.service, process.instance), ()), *tail(process)]
        missing = [gap if gap.after else replace(gap, after=process.begun_at) for gap in missing]
        result = owed(process, [gap for gap in missing if _touches(gap, scope)], now)
        found.lost.extend(result.lost)
        found.waiting.extend(result.waiting)
        found.gone.extend(result.gone)
        if _count(result.some_lost) > result.may_miss:
            found.uncertain.append((result.some_lost, result.may_miss))
        else:
            (found.waiting if process.lives(now) else found.gone).extend(result.some_lost)
    return found


def tail(process: Process) -> Iterator[Gap]:
    """The numbers behind the highest that is there, up to what the process told."""
    if process.told and process.told.sequence > process.highest:
        yield Gap(
            service=process.service,
            instance=process.instance,
            first=process.highest + 1,
            last=process.told.sequence,
            after=process.last_seen_at,
            told_at=process.told.at,
        )


def _touches(gap: Gap, scope: Scope) -> bool:
    """Whether a neighbour of the gap lies in the scope."""
    return any(
        (scope.since is None or moment >= scope.since) and (scope.until is None or moment < scope.until)
        for moment in gap.neighbours
    )


def _explained(sources: Sources, scope: Scope, found: _Found) -> tuple[_Found, list[Gap]]:
    """Take out what lies in Kafka with a reason, and what cannot be looked up there any more."""
    gaps = [*found.lost, *(gap for gaps, _ in found.uncertain for gap in gaps)]
    if not gaps:
        return found, []
    since = min(moment for gap in gaps for moment in gap.neighbours) - _AROUND
    with changes_log(sources.kafka) as log:
        kept = log.kept(since, None)
        repeats, on_the_way = _in_kafka(sources, log, kept, since, scope)
    # Only where retention has taken something can a number have left Kafka.
    begins = max((one.begins_at for one in kept if one.start and one.begins_at), default=None)
    result = _Found(waiting=[*found.waiting, *_within(gaps, on_the_way)], gone=found.gone)
    unprovable: list[Gap] = []
    for gap in _besides(found.lost, repeats, on_the_way):
        (unprovable if begins and max(gap.neighbours) < begins else result.lost).append(gap)
    for uncertain, may_miss in found.uncertain:
        rest = list(_besides(uncertain, repeats, on_the_way))
        if _count(rest) > may_miss:
            result.uncertain.append((rest, may_miss))
        else:
            result.gone.extend(rest)
    return result, unprovable


def _in_kafka(
    sources: Sources, log: ChangesLog, kept: Sequence[Kept], since: datetime, scope: Scope
) -> tuple[Known, Known]:
    """The numbers of repeats of stored events, and those on their way, that lie in Kafka."""
    marks = newest_marks(sources.client, kept)
    repeats: Known = defaultdict(set)
    on_the_way: Known = defaultdict(set)
    for record, why in explain(sources, log, untraced(sources, kept, marks, since).spans, scope.grace):
        if why in (Why.REPEAT, Why.ON_THE_WAY):
            found = repeats if why is Why.REPEAT else on_the_way
            found[record.service, record.instance].add(record.sequence)
    behind = [Span(one.partition, max(one.first, marks.get(one.partition, -1) + 1), one.end) for one in kept]
    behind = [span for span in behind if span.length > 0]
    if sum(span.length for span in behind) <= _MOST_BEHIND:
        for messages in log.read(behind):
            for record in map(understood, messages):
                on_the_way[record.service, record.instance].add(record.sequence)
    return repeats, on_the_way


def _besides(gaps: Iterable[Gap], *explained: Known) -> Iterator[Gap]:
    """What is left of gaps."""
    for gap in gaps:
        yield from without(gap, set().union(*(one.get((gap.service, gap.instance), ()) for one in explained)))


def _within(gaps: Iterable[Gap], numbers: Known) -> Iterator[Gap]:
    for gap in gaps:
        for number in sorted(numbers.get((gap.service, gap.instance), ())):
            yield from cut([gap], number, number)


def _count(gaps: Iterable[Gap]) -> int:
    return sum(gap.count for gap in gaps)


def _note(gaps: Sequence[Gap]) -> Note:
    return Note(events=_count(gaps), examples=gaps[:EXAMPLES])
