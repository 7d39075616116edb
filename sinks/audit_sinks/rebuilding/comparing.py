"""A table and what was rebuilt of it, row by row: what is missing, what is new, what differs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from audit_sinks.clickhouse import explained
from audit_sinks.rebuilding.tables import Shape, partitions

EXAMPLES = 5

_SETTINGS = {
    "do_not_merge_across_partitions_select_final": 1,
    # A year of keys may be larger than the memory: the rest goes to the disk.
    "max_bytes_before_external_group_by": 1 << 30,
    "join_algorithm": "grace_hash",
    "max_bytes_in_join": 1 << 30,
}

_COMPARED = """
SELECT
    countIf(o) AS before, countIf(n) AS after,
    countIf(o AND NOT n) AS missing, countIf(n AND NOT o) AS additional,
    countIf({differs}) AS differing,
    groupArrayIf({examples})(key, o AND NOT n) AS missing_keys,
    groupArrayIf({examples})(key, {differs}) AS differing_keys
FROM
(
    SELECT
        toString(({key})) AS key, max(is_old) AS o, max(NOT is_old) AS n,
        anyIf(row, is_old) AS old, anyIf(row, NOT is_old) AS new
    FROM
    (
        SELECT {key}, true AS is_old, ({row}) AS row
        FROM {old} FINAL WHERE _partition_id = %(partition)s {bound}
        UNION ALL
        SELECT {key}, false AS is_old, ({row}) AS row
        FROM {new} FINAL WHERE _partition_id = %(partition)s
    )
    GROUP BY {key}
)
"""

_KEPT = """
INSERT INTO {new} ({columns})
SELECT {chosen}
FROM (SELECT {columns}, {row} FROM {old} FINAL WHERE _partition_id = %(partition)s) AS o
INNER JOIN
(
    SELECT {key}, stored_at AS n_stored_at, {row_n} FROM {new} FINAL WHERE _partition_id = %(partition)s
) AS n
USING ({key})
WHERE facts = n_facts AND (words = n_words OR catalogue > n_catalogue)
    AND (words != n_words OR catalogue != n_catalogue OR stored_at != n_stored_at)
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


def compare(client: Any, shape: Shape, old: str, new: str, *, bound: str) -> Iterator[tuple[str, Comparison]]:
    """Compare partition by partition, yielding each partition's id and what was found up to it.

    Args:
        client: of ClickHouse.
        shape: the table.
        old: its database.
        new: the database of what was rebuilt.
        bound: of the table only rows stored by then are asked for, in ClickHouse's own words of a time:
            what came later may not be read again yet.

    Raises:
        Unreachable, Misconfigured: ClickHouse cannot be asked.
    """
    sql = _COMPARED.format(
        differs="o AND n AND old != new",
        examples=EXAMPLES,
        key=", ".join(shape.key),
        row=f"{shape.facts}, {shape.words}",
        old=f"{old}.{shape.name}",
        new=f"{new}.{shape.name}",
        bound=f"AND stored_at <= '{bound}'" if shape.bounded else "",
    )
    total = Comparison()
    for partition in partitions(client, (old, new), shape.name):
        with explained():
            rows, columns = client.execute(
                sql, {"partition": partition}, with_column_types=True, settings=_SETTINGS
            )
        total.add(dict(zip((name for name, _ in columns), rows[0], strict=True)))
        yield partition, total


def keep(client: Any, shape: Shape, old: str, new: str) -> None:
    """Lay the table's own rows over equal ones: they know when they were stored first, and newer wording.

    Equal is a row that says the same, in the same words or in those of a newer catalogue.

    Raises:
        Unreachable, Misconfigured: ClickHouse cannot be asked.
    """
    row = {"facts": shape.facts, "words": shape.words, "catalogue": shape.catalogue}
    sql = _KEPT.format(
        key=", ".join(shape.key),
        columns=", ".join(shape.copied),
        chosen=", ".join(f"o.{column}" for column in shape.copied),
        row=", ".join(f"{hashed} AS {name}" for name, hashed in row.items()),
        row_n=", ".join(f"{hashed} AS n_{name}" for name, hashed in row.items()),
        old=f"{old}.{shape.name}",
        new=f"{new}.{shape.name}",
    )
    settings = {**_SETTINGS, "insert_allow_materialized_columns": 1, "insert_deduplicate": 0}
    for partition in partitions(client, (old, new), shape.name):
        with explained():
            client.execute(sql, {"partition": partition}, settings=settings)
