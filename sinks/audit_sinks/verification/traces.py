"""Which offsets of audit.changes have left a trace in ClickHouse: a row, a dead letter, or a mark."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from audit_schemas.topics import CHANGES, EVENTS
from audit_sinks.clickhouse import explained, query
from audit_sinks.verification.changes_log import Span
from audit_sinks.verification.checking import sql_time

_BUCKET = 16_384
"""Offsets that are compared at once: a bitmap of two kibibytes, at most so many in one row of the answer."""

# What the sink refused lies in audit.events: the enriched event in its bytes says where it came from.
_TRACES = """
SELECT source_partition AS partition, source_offset AS offset, received_at FROM audit_events
UNION ALL
SELECT partition, offset, received_at FROM dead_letters WHERE topic = %(changes)s
UNION ALL
SELECT
    toUInt32(JSONExtractUInt(body, 'source_partition')), JSONExtractUInt(body, 'source_offset'), received_at
FROM
(
    SELECT tryBase64Decode(assumeNotNull(value)) AS body, received_at
    FROM dead_letters WHERE topic = %(events)s AND value IS NOT NULL
)
UNION ALL
SELECT partition, offset, received_at FROM partition_marks
"""

_BOUND = "transform(partition, %(partitions)s, CAST(%({})s, 'Array(UInt64)'), toUInt64(0))"
"""A number of each partition, as the values give it."""

_KNOWN = """
SELECT partition, min(offset) AS first, max(offset) + 1 AS end
FROM ({traces})
WHERE received_at >= toDateTime64(%(since)s, 6, 'UTC') AND received_at < toDateTime64(%(until)s, 6, 'UTC')
    AND offset < {starts}
GROUP BY partition ORDER BY partition
"""

_MISSING = """
SELECT partition, bitmapToArray(bitmapAndnot(bitmapBuild(range(low, high)), groupBitmapStateIf(offset, real)))
FROM
(
    SELECT
        partition, offset, real, intDiv(offset, {bucket}) AS bucket,
        greatest(toUInt64(bucket * {bucket}), {firsts}) AS low,
        least(toUInt64((bucket + 1) * {bucket}), {ends}) AS high
    FROM
    (
        SELECT partition, offset, true AS real FROM ({traces})
        WHERE received_at >= toDateTime64(%(since)s, 6, 'UTC')
            AND offset >= {firsts}
            AND offset < {ends}
        UNION ALL
        -- One of each bucket, so that one without any trace is there as well.
        SELECT
            toUInt32(partition),
            toUInt64(greatest(arrayJoin(range(low_bucket, high_bucket + 1)) * {bucket}, first)),
            false
        FROM
        (
            SELECT
                span.1 AS partition, span.2 AS first,
                intDiv(first, {bucket}) AS low_bucket, intDiv(span.3 - 1, {bucket}) AS high_bucket
            FROM (SELECT arrayJoin(arrayZip(%(partitions)s, %(firsts)s, %(ends)s)) AS span)
        )
    )
)
GROUP BY partition, bucket, low, high
HAVING groupBitmapIf(offset, real) < high - low
ORDER BY partition, bucket
"""

_TOPICS = {"changes": CHANGES.name, "events": EVENTS.name}


def known(client: Any, starts: Mapping[int, int], since: datetime, until: datetime) -> list[Span]:
    """From where to where there are traces of what was received in a time, below some offsets.

    Args:
        client: of ClickHouse.
        starts: by partition, the offset below which to look.
        since: the earliest receipt.
        until: the first receipt that is not wanted.
    """
    values = {
        **_TOPICS,
        "partitions": list(starts),
        "starts": list(starts.values()),
        "since": sql_time(since),
        "until": sql_time(until),
    }
    rows = query(client, _KNOWN.format(traces=_TRACES, starts=_BOUND.format("starts")), values)
    return [Span(row["partition"], row["first"], row["end"]) for row in rows]


def without_trace(client: Any, ranges: Sequence[Span], since: datetime) -> list[Span]:
    """The offsets in these ranges that have left none, in order.

    Memory on the server is a bit for each offset; here it is some hundred bytes for each span of
    neighbouring offsets. Time grows with the rows of the tables, of which it reads the time of receipt,
    and with the offsets.

    Args:
        client: of ClickHouse.
        ranges: where to look, at most one of a partition.
        since: traces of an earlier receipt do not count: a topic that was made anew has the same
            offsets again.
    """
    wanted = [one for one in ranges if one.length > 0]
    if not wanted:
        return []
    partitions, firsts, ends = zip(*wanted, strict=True)
    values = {
        **_TOPICS,
        "partitions": list(partitions),
        "firsts": list(firsts),
        "ends": list(ends),
        "since": sql_time(since),
    }
    bounds = {name: _BOUND.format(name) for name in ("firsts", "ends")}
    with explained():
        rows = client.execute_iter(_MISSING.format(traces=_TRACES, bucket=_BUCKET, **bounds), values)
        places = (((number, offset) for offset in missing) for number, missing in rows)
        return list(spans(chain.from_iterable(places)))


def spans(places: Iterable[tuple[int, int]]) -> Iterator[Span]:
    """Partitions and offsets, in order, as spans of neighbours."""
    span: Span | None = None
    for partition, offset in places:
        if span and span.partition == partition and span.end == offset:
            span = Span(partition, span.first, offset + 1)
            continue
        if span:
            yield span
        span = Span(partition, offset, offset + 1)
    if span:
        yield span
