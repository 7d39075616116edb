"""A table and what was rebuilt of it, row by row: what is missing, what is new, what differs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from audit_sinks.clickhouse import explained
from audit_sinks.rebuilding.tables import SETTINGS, Shape, partitions

EXAMPLES = 5

_COMPARED = """
SELECT
    countIf(o) AS before, countIf(n) AS after,
    countIf(o AND NOT n) AS missing, countIf(n AND NOT o) AS additional,
    countIf(o AND n AND old != new) AS differing,
    groupArrayIf({examples})(key, o AND NOT n) AS missing_keys,
    groupArrayIf({examples})(key, o AND n AND old != new) AS differing_keys
FROM
(
    SELECT
        toString(({key})) AS key, max(is_old) AS o, max(NOT is_old) AS n,
        anyIf(row, is_old) AS old, anyIf(row, NOT is_old) AS new
    FROM
    (
        SELECT {key}, true AS is_old, ({row}) AS row FROM {old} FINAL WHERE _partition_id = %(partition)s
        UNION ALL
        SELECT {key}, false AS is_old, ({row}) AS row FROM {new} FINAL WHERE _partition_id = %(partition)s
    )
    GROUP BY {key}
)
"""


@dataclass(slots=True)
class Comparison:
    """What was found of one table; the numbers are rows without their repeats."""

    before: int = 0
    """In the table."""
    after: int = 0
    """In what was rebuilt."""
    missing: int = 0
    """In the table only: whoever exchanged the two would lose them."""
    additional: int = 0
    """In what was rebuilt only: the table had lost them, or the sink has not stored them yet."""
    differing: int = 0
    """In both, and not equal: Kafka has it otherwise than the table, and is the source."""
    missing_keys: list[str] = field(default_factory=list)
    differing_keys: list[str] = field(default_factory=list)

    def add(self, found: dict[str, Any]) -> None:
        """Take one partition's numbers."""
        for name, value in found.items():
            setattr(self, name, getattr(self, name) + value)
        del self.missing_keys[EXAMPLES:], self.differing_keys[EXAMPLES:]


def compare(
    client: Any, shape: Shape, old: str, new: str, *, watch: Callable[[int, int], None]
) -> Comparison:
    """Compare two tables of the same shape, partition by partition.

    Args:
        client: of ClickHouse.
        shape: of both.
        old: the table, with its database.
        new: what was rebuilt.
        watch: is told how many of the table's rows are compared.

    Raises:
        Unreachable, Misconfigured: ClickHouse cannot be asked.
    """
    sql = _COMPARED.format(
        examples=EXAMPLES, key=shape.joined_key, row=f"{shape.facts}, {shape.words}", old=old, new=new
    )
    total, rows, done = Comparison(), partitions(client, old), 0
    for partition in partitions(client, old, new):
        with explained():
            (values,), columns = client.execute(
                sql, {"partition": partition}, with_column_types=True, settings=SETTINGS
            )
        total.add(dict(zip((name for name, _ in columns), values, strict=True)))
        done += rows.get(partition, 0)
        watch(done, sum(rows.values()))
    return total
