"""The check of the log's offsets: every record of audit.changes has left its trace in ClickHouse."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from audit_sinks.clickhouse import query
from audit_sinks.verification.changes_log import Kept, Span, changes_log
from audit_sinks.verification.checking import EXAMPLES, Checked, Fault, Note, Scope, Sources
from audit_sinks.verification.traces import known, without_trace
from audit_sinks.verification.unstored import Unstored, Why, explain, untraced

_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


def check_offsets(sources: Sources, scope: Scope) -> Checked:
    """Every offset of audit.changes is a row, a dead letter or a mark, or there is a reason why not.

    What lies below the newest mark of its partition must be stored. An offset without a trace is looked
    up in Kafka: a tick, a repeat of an event that is stored, or a transaction's mark has a right to leave
    none. All accounts are looked at: an offset without a row does not tell whose it is.

    Memory is a bit for each offset on the server, and here some hundred bytes for each gap. Time grows
    with the rows of audit_events, of which the time of receipt is read, and with the gaps.
    """
    sources.tell("comparing the offsets of audit.changes with what is stored")
    with changes_log(sources.kafka) as log:
        kept = log.kept(scope.since, scope.until)
        found = untraced(sources, kept, newest_marks(sources.client, kept), scope.since)
        reasons = _Reasons()
        for record, why in explain(sources, log, found.spans, scope.grace):
            reasons.add(record, why)
    return Checked(
        checked=found.looked_at,
        of="offsets",
        faults={"missing": reasons.missing},
        notes={
            "on_the_way": Note(events=found.waiting + reasons.counts[Why.ON_THE_WAY]),
            "repeats": Note(events=reasons.counts[Why.REPEAT]),
            "no_longer_in_kafka": Note(events=log.taken + _gone(sources.client, kept, scope)),
        },
    )


def newest_marks(client: Any, kept: Sequence[Kept]) -> Mapping[int, int]:
    """By partition, the offset of the newest mark of the topic as it is now."""
    rows = query(
        client,
        "SELECT partition, argMax(offset, received_at) AS offset, max(received_at) AS at "
        "FROM partition_marks GROUP BY partition",
    )
    begins = {one.partition: one.begins_at for one in kept}
    # A topic that was made anew begins again at offset 0: marks of the old one say nothing.
    return {
        row["partition"]: row["offset"]
        for row in rows
        if (at := begins.get(row["partition"])) is not None and row["at"] >= at
    }


class _Reasons:
    """What was read, counted."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(Why, 0)
        self._examples: list[Unstored] = []
        self._earliest: datetime | None = None

    def add(self, record: Unstored, why: Why) -> None:
        self.counts[why] += 1
        if why is not Why.MISSING:
            return
        if len(self._examples) < EXAMPLES:
            self._examples.append(record)
        self._earliest = min(self._earliest or record.received_at, record.received_at)

    @property
    def missing(self) -> Fault:
        return Fault(events=self.counts[Why.MISSING], examples=self._examples, earliest=self._earliest)


def _gone(client: Any, kept: list[Kept], scope: Scope) -> int:
    """How many offsets without a trace were received in the scope and have left Kafka by retention.

    Ticks and repeats leave Kafka as well, so this is no fault: it cannot be checked any more.
    """
    begins = [one.begins_at for one in kept if one.begins_at]
    since = scope.since or _BEFORE_ALL
    starts = {one.partition: one.start for one in kept if one.start}
    if not starts or not begins or since >= max(begins):
        return 0
    until = min(scope.until or max(begins), max(begins))
    ranges: list[Span] = known(client, starts, since, until)
    return sum(span.length for span in without_trace(client, ranges, since))
