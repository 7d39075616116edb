"""What must come out, decided from audit.changes alone, and every way to differ from it.

It shares no code with the workers: the window of a change is the span of the broker's time in which
audit.changes received it first, and nothing else is asked.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

Faults = dict[str, list[Any]]
"""What is wrong -> where it is so; empty when all is right."""


class Source(NamedTuple):
    """A record's place in audit.changes."""

    partition: int
    offset: int


class Span(NamedTuple):
    """A window, seconds since the epoch."""

    start: int
    end: int


@dataclass(frozen=True)
class Received:
    """An event as audit.changes holds it."""

    id: UUID
    source: Source
    appended_ms: int
    account: str
    contact: str | None
    """Nothing for what is no contact's change."""
    is_live: bool


@dataclass(frozen=True)
class Batch:
    """A message of audit.contact-batches."""

    id: UUID
    account: str
    contact: str
    span: Span | None
    appended_ms: int
    events: tuple[tuple[UUID, Source], ...]


@dataclass(frozen=True)
class Shown:
    """A row of the view contact_activity."""

    id: UUID
    account: str
    contact: str
    span: Span | None
    synced_ms: int


@dataclass(frozen=True)
class Logged:
    """A row of the view audit_log."""

    id: UUID
    account: str
    target: tuple[str, str]
    """Type and id."""
    instance: str
    """Which process published it."""
    sequence: int
    """Its number there."""
    source: Source


def faults_of_log(acknowledged: Collection[UUID], logged: Sequence[Logged]) -> Faults:
    """How the log differs from what was acknowledged to the services."""
    times = Counter(row.id for row in logged)
    targets: dict[tuple[str, str, str], list[Logged]] = defaultdict(list)
    for row in logged:
        targets[row.account, *row.target].append(row)
    return _found(
        {
            "acknowledged, not in the log": set(acknowledged) - times.keys(),
            "in the log, never published": times.keys() - set(acknowledged),
            "twice in the log": [id_ for id_, number in times.items() if number > 1],
            "of one target, in two partitions": [
                target for target, rows in targets.items() if len({row.source.partition for row in rows}) > 1
            ],
            "of one target, out of order": [row.id for rows in targets.values() for row in _overtaken(rows)],
        }
    )


def _overtaken(rows: Iterable[Logged]) -> list[Logged]:
    """Those that stand behind what the same process published later."""
    newest: dict[str, int] = defaultdict(int)
    found = []
    for row in sorted(rows, key=lambda row: row.source):
        if row.sequence <= newest[row.instance]:
            found.append(row)
        newest[row.instance] = max(newest[row.instance], row.sequence)
    return found


def faults_of_dead_letters(refused: Collection[Source], letters: Sequence[Source | None]) -> Faults:
    """How the table of dead letters differs from what is no event; None stands for another topic's record."""
    times = Counter(letters)
    return _found(
        {
            "refused, not in the dead letters": set(refused) - times.keys(),
            "dead letters of nothing that was refused": times.keys() - set(refused),
            "twice in the dead letters": [place for place, number in times.items() if number > 1],
        }
    )


def spans_of(event: Received, lengths: Collection[int]) -> set[Span | None]:
    """The windows that a change may be in: one, unless the length was changed meanwhile."""
    if not event.is_live:
        return {None}
    seconds = event.appended_ms // 1000
    return {Span(seconds // length * length, seconds // length * length + length) for length in lengths}


def changes_of(received: Iterable[Received]) -> dict[UUID, Received]:
    """The contact changes by their ids, each as it was received first."""
    first: dict[UUID, Received] = {}
    for event in received:
        known = first.get(event.id)
        if event.contact is not None and (known is None or event.appended_ms < known.appended_ms):
            first[event.id] = event
    return first


def faults_of_activity(
    changes: Mapping[UUID, Received], shown: Sequence[Shown], lengths: Collection[int]
) -> Faults:
    """How the view differs from what was received."""
    known = [(row, changes[row.id]) for row in shown if row.id in changes]
    return _found(
        {
            "missing": changes.keys() - {row.id for row in shown},
            "twice": [id_ for id_, times in Counter(row.id for row in shown).items() if times > 1],
            "never received": {row.id for row in shown} - changes.keys(),
            "in another window": [row for row, event in known if row.span not in spans_of(event, lengths)],
            "shown early": [row for row in shown if row.span and row.synced_ms < row.span.end * 1000],
            "of another contact": [
                row for row, event in known if (row.account, row.contact) != (event.account, event.contact)
            ],
        }
    )


def faults_of_batches(
    received: Sequence[Received], batches: Sequence[Batch], lengths: Collection[int]
) -> Faults:
    """What is wrong with the messages, where the view may hide it: of two windows it shows the earlier."""
    by_source = {event.source: event for event in received}
    placed = [(by_source[source], batch) for batch in batches for _, source in batch.events]
    windows: dict[Source, set[Span | None]] = defaultdict(set)
    for event, batch in placed:
        windows[event.source].add(batch.span)
    contents: dict[UUID, set[Any]] = defaultdict(set)
    for batch in batches:
        contents[batch.id].add((batch.account, batch.contact, batch.span, batch.events))
    return _found(
        {
            "batched in another window": [
                (event, batch.id) for event, batch in placed if batch.span not in spans_of(event, lengths)
            ],
            "batched in two windows": [source for source, spans in windows.items() if len(spans) > 1],
            "batched early": [b.id for b in batches if b.span and b.appended_ms < b.span.end * 1000],
            "batched with another contact": [
                (event, batch.id)
                for event, batch in placed
                if (event.account, event.contact) != (batch.account, batch.contact)
            ],
            "out of order": [batch.id for batch in batches if not _in_order(batch)],
            "one id, other content": [id_ for id_, different in contents.items() if len(different) > 1],
        }
    )


def told(faults: Faults) -> str:
    """How many of each fault there are, with examples."""
    return "\n".join(f"{len(where):,} {what}: {where[:3]}" for what, where in faults.items())


def _in_order(batch: Batch) -> bool:
    """Whether the first copies stand as in audit.changes; a repeat may follow anywhere behind them."""
    firsts = list(dict.fromkeys(source for _, source in batch.events))
    return firsts == sorted(firsts)


def _found(faults: Mapping[str, Collection[Any]]) -> Faults:
    return {what: list(where) for what, where in faults.items() if where}
