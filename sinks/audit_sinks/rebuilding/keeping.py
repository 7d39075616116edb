"""Which rows of a table stay as they are, though the topics were read again.

- What Kafka no longer has.
- What it has just so: the table's row knows when it was stored first, and perhaps newer wording.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from audit_sinks.clickhouse import explained, query
from audit_sinks.rebuilding.tables import SETTINGS, Shape, partitions

_KEPT = """
INSERT INTO {new} ({columns})
SELECT {chosen}
FROM (SELECT {columns}, {old_row} FROM {old} FINAL WHERE _partition_id = %(partition)s) AS o
LEFT JOIN
(
    SELECT {key}, true AS there, {new_row} FROM {new} FINAL WHERE _partition_id = %(partition)s
) AS n
USING ({key})
WHERE if(there, {equal}, {gone})
"""

_EQUAL = """
    facts = new_facts AND (words = new_words OR catalogue > new_catalogue)
    AND (words != new_words OR catalogue != new_catalogue OR stored_at != new_stored)
"""
"""It says the same, in the same words or in those of a newer catalogue, and is not the same row already."""


def keep(
    client: Any,
    shape: Shape,
    old: str,
    new: str,
    *,
    since: datetime | None,
    watch: Callable[[int, int], None],
) -> int:
    """Lay rows of a table over what was rebuilt of it.

    Args:
        client: of ClickHouse.
        shape: of both.
        old: the table, with its database.
        new: what was rebuilt.
        since: what was received from then on Kafka must have; without it, a row that Kafka does not
            have is kept in any case.
        watch: is told how many rows of how many are done.

    Returns:
        How many rows Kafka no longer has.

    Raises:
        Unreachable, Misconfigured: ClickHouse cannot be asked.
    """
    hashed = {"facts": shape.facts, "words": shape.words, "catalogue": shape.catalogue}
    stored = {"stored": "stored_at"} if shape.worded else {}
    sql = _KEPT.format(
        key=shape.joined_key,
        columns=", ".join(shape.copied),
        chosen=", ".join(f"o.{column}" for column in shape.copied),
        old_row=", ".join(f"{value} AS {name}" for name, value in hashed.items()),
        new_row=", ".join(f"{value} AS new_{name}" for name, value in {**hashed, **stored}.items()),
        equal=_EQUAL if shape.worded else "false",
        gone=_gone(since),
        old=old,
        new=new,
    )
    settings = {**SETTINGS, "insert_allow_materialized_columns": 1, "insert_deduplicate": 0}
    found, before, done = partitions(client, old), _count(client, new), 0
    for partition, rows in found.items():
        with explained():
            client.execute(sql, {"partition": partition}, settings=settings)
        done += rows
        watch(done, sum(found.values()))
    return _count(client, new) - before


def _gone(since: datetime | None) -> str:
    if since is None:
        return "true"
    return f"received_at < fromUnixTimestamp64Micro(toInt64({int(since.timestamp() * 1_000_000)}), 'UTC')"


def _count(client: Any, table: str) -> int:
    (found,) = query(client, f"SELECT count() AS rows FROM {table} FINAL")  # noqa: S608 - a checked name
    return int(found["rows"])
