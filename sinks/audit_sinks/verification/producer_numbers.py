"""The numbers of publishing processes in ClickHouse, compared in SQL: they are as many as the events."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from audit_schemas.topics import CHANGES, EVENTS
from audit_sinks.clickhouse import query
from audit_sinks.verification.checking import EXAMPLES, IN_SCOPE, Scope, sql_time
from audit_sinks.verification.producer_rules import Gap, Process, Told

_CHUNK = 300
"""Processes whose gaps are asked for in one query."""
_MOST_GAPS = 10_000
"""In one answer."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_GROUPED = """
(
    SELECT
        service, instance,
        sum(found) AS numbers, max(top) AS highest, sum(rows) AS copies, max(said) AS told
    FROM
    (
        SELECT
            producer_service AS service, producer_instance AS instance,
            groupBitmap(producer_sequence) AS found, max(producer_sequence) AS top, count() AS rows,
            toUInt64(0) AS said
        FROM audit_events
        WHERE {scope} AND producer_sequence > 0 AND {of_account}
        GROUP BY service, instance
        UNION ALL
        SELECT service, instance, 0, 0, 0, max(sequence)
        FROM producer_records
        WHERE {told_scope} AND {told_of_account}
        GROUP BY service, instance
    )
    GROUP BY service, instance
)
"""

_TOTALS = """
SELECT
    sum(counted.numbers) AS numbers, count() AS processes,
    countIf(counted.copies > counted.numbers) AS repeating,
    countIf(counted.numbers != counted.highest OR counted.told > counted.highest) AS suspects
FROM {grouped} AS counted
"""

_SUSPECTS = "SELECT service, instance FROM {grouped} WHERE numbers != highest OR told > highest"

# A number that is in a dead letter is there: its bytes name the process. Of the scope's suspects all numbers
# are wanted, whenever received; but nothing of a process was received long before its own id was made, unless
# its clock was ahead then: in that case its first number seems not to be there.
_SEEN = """
(
    SELECT
        producer_service AS service, producer_instance AS instance, producer_sequence AS number, received_at
    FROM audit_events
    WHERE producer_sequence > 0 AND received_at >= {bound}
    UNION ALL
    SELECT
        JSONExtractString(body, 'producer', 'service'), JSONExtractString(body, 'producer', 'instance'),
        JSONExtractUInt(body, 'producer', 'sequence') AS number, received_at
    FROM
    (
        SELECT tryBase64Decode(assumeNotNull(value)) AS body, received_at
        FROM dead_letters
        WHERE topic IN (%(changes)s, %(events)s) AND value IS NOT NULL AND received_at >= {bound}
    )
    WHERE number > 0
)
"""

_BOUND = """
(SELECT min(UUIDv7ToDateTime(toUUIDOrZero(instance), 'UTC')) - INTERVAL 1 DAY FROM ({suspects}))
"""
_EVER = "toDateTime64(0, 6, 'UTC')"

_PROCESSES = """
SELECT
    service, instance, numbers, lowest, highest, last_seen_at, proven, begun_at, life_at,
    told.1 AS kind, told.2 AS sequence, told.3 AS acknowledged, told.4 AS at
FROM
(
    SELECT
        service, instance,
        groupBitmap(number) AS numbers, min(number) AS lowest, max(number) AS highest,
        max(received_at) AS last_seen_at
    FROM {seen}
    WHERE (service, instance) IN ({suspects})
    GROUP BY service, instance
) AS seen
FULL JOIN
(
    SELECT
        service, instance,
        argMaxIf((kind, sequence, acknowledged, at), (at, kind = 'stop'), is_old) AS told,
        maxIf(sequence, is_old AND ifNull(acknowledged >= sequence, false)) AS proven,
        min(at) AS begun_at, max(at) AS life_at
    FROM
    (
        SELECT *, at <= toDateTime64(%(settled)s, 6, 'UTC') AS is_old
        FROM producer_records WHERE (service, instance) IN ({suspects})
    )
    GROUP BY service, instance
) AS records USING (service, instance)
WHERE numbers != highest OR told.2 > highest
ORDER BY service, instance
"""

_GAPS = """
SELECT service, instance, before + 1 AS first, number - 1 AS last, before_at, received_at
FROM
(
    SELECT
        service, instance, number, received_at,
        lagInFrame(number, 1, toUInt64(0)) OVER one_back AS before,
        lagInFrame(received_at) OVER one_back AS before_at
    FROM
    (
        SELECT service, instance, number, min(seen.received_at) AS received_at
        FROM {seen} AS seen
        WHERE (service, instance) IN %(processes)s
        GROUP BY service, instance, number
    )
    WINDOW one_back AS (
        PARTITION BY service, instance ORDER BY number ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
    )
)
WHERE number > before + 1
ORDER BY service, instance, first
LIMIT {most}
SETTINGS max_bytes_before_external_group_by = 1073741824, max_bytes_before_external_sort = 1073741824
"""

_TWICE = """
SELECT
    producer_service AS service, producer_instance AS instance, producer_sequence AS number,
    min(event_id) AS one, max(event_id) AS other, count() OVER () AS found
FROM audit_events
WHERE {scope} AND producer_sequence > 0 AND (service, instance) IN
    (SELECT service, instance FROM {grouped} WHERE copies > numbers)
GROUP BY service, instance, number
HAVING one != other
ORDER BY service, instance, number
LIMIT {examples}
SETTINGS max_bytes_before_external_group_by = 1073741824
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What lies in the scope."""

    numbers: int
    processes: int
    repeating: int
    """Processes with more rows than numbers: copies that are not merged yet, or a number twice."""
    suspects: int
    """Processes whose numbers in the scope are not all from 1 to what they told; most are older than it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Twice:
    """One number of a process on two events."""

    service: str
    instance: str
    number: int
    events: list[str]

    def __str__(self) -> str:
        """Whose number, and on which events."""
        return f"number {self.number} of {self.service} {self.instance}: {' and '.join(self.events)}"


class Numbers:
    """Asks for one scope. Every method raises Unreachable or Misconfigured.

    Args:
        client: of ClickHouse.
        scope: what is checked; of an account all processes that published for it, with all that they
            published.
        settled: the records of processes that are older speak of what is stored.
    """

    def __init__(self, client: Any, scope: Scope, settled: datetime) -> None:
        self._client = client
        publishers = (
            "SELECT DISTINCT producer_service, producer_instance FROM audit_events "  # noqa: S608 - our own words
            f"WHERE {IN_SCOPE} AND account_id IN %(accounts)s"
        )
        chosen = "{} IN (" + publishers + ")" if scope.accounts else "true"
        self._grouped = _GROUPED.format(
            scope=IN_SCOPE,
            told_scope=IN_SCOPE.replace("received_at", "at"),
            of_account=chosen.format("(producer_service, producer_instance)"),
            told_of_account=chosen.format("(service, instance)"),
        )
        self._suspects = _SUSPECTS.format(grouped=self._grouped)
        self._values = {
            "accounts": scope.accounts,
            "changes": CHANGES.name,
            "events": EVENTS.name,
            "settled": sql_time(settled),
            **scope.times,
        }

    def totals(self) -> Totals:
        """Count what lies in the scope; memory on the server is a bit for each number."""
        (row,) = query(self._client, _TOTALS.format(grouped=self._grouped), self._values)
        return Totals(**row)

    def incomplete(self) -> Iterator[tuple[Process, bool]]:
        """The processes some number of which is nowhere, and whether it is one below their highest.

        Reads all that was received since the oldest suspect began, whatever the scope, and where the first
        number of one is missing all that was ever received; memory is about a kilobyte for each of these
        processes.
        """
        rows = self._seen_since(_BOUND.format(suspects=self._suspects))
        if any(row["lowest"] != 1 for row in rows):
            rows = self._seen_since(_EVER)
        for row in rows:
            yield _process(row), row["numbers"] != row["highest"]

    def _seen_since(self, bound: str) -> list[dict[str, Any]]:
        sql = _PROCESSES.format(seen=_SEEN.format(bound=bound), suspects=self._suspects)
        return query(self._client, sql, self._values)

    def gaps(self, processes: Sequence[Process]) -> Iterator[Gap]:
        """The numbers below their highest that are nowhere."""
        for first in range(0, len(processes), _CHUNK):
            chunk = tuple((one.service, one.instance) for one in processes[first : first + _CHUNK])
            seen = _SEEN.format(bound=_EVER)
            rows = query(
                self._client, _GAPS.format(seen=seen, most=_MOST_GAPS), {**self._values, "processes": chunk}
            )
            for row in rows:
                yield Gap(
                    service=row["service"],
                    instance=row["instance"],
                    first=row["first"],
                    last=row["last"],
                    after=row["before_at"] if row["first"] > 1 else None,
                    before=row["received_at"],
                )

    def twice(self) -> tuple[int, list[Twice]]:
        """Numbers that two events carry: how many, and the first of them."""
        sql = _TWICE.format(scope=IN_SCOPE, grouped=self._grouped, examples=EXAMPLES)
        rows = query(self._client, sql, self._values)
        examples = [
            Twice(
                service=row["service"],
                instance=row["instance"],
                number=row["number"],
                events=[str(row["one"]), str(row["other"])],
            )
            for row in rows
        ]
        return (rows[0]["found"] if rows else 0), examples


def _process(row: Mapping[str, Any]) -> Process:
    """ClickHouse's defaults stand for what is not there."""
    told = None
    if row["kind"]:
        told = Told(**{name: row[name] for name in ("kind", "sequence", "acknowledged", "at")})
    moments: dict[str, Any] = {
        name: row[name] if row[name] > _EPOCH else None for name in ("last_seen_at", "begun_at", "life_at")
    }
    same = {name: row[name] for name in ("service", "instance", "highest", "proven")}
    return Process(**same, **moments, told=told)
