"""What a rebuild must remember beyond its own end: how far it was, and which table is which.

It is kept beside the rebuilt tables, in their database, and written before the step that it names.
"""

from typing import Any, Literal

import msgspec

from audit_sinks.batches import Place
from audit_sinks.clickhouse import explained, query

Phase = Literal["building", "exchanging", "done"]


class Pair(msgspec.Struct, frozen=True):
    """A table and what was rebuilt of it, by the server's ids, which stay with their rows."""

    table: str
    old: str
    new: str


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How far a rebuild is.

    Attributes:
        run: which rebuild it is.
        phase: building: the database holds nothing but copies; exchanging: one or the other table may be
            exchanged; done: it holds the tables as they were before.
        pairs: the tables to exchange, in their order.
        positions: how far the rebuilt tables hold the topics: topic, partition, offset.
    """

    run: str
    phase: Phase
    pairs: tuple[Pair, ...] = ()
    positions: tuple[tuple[str, int, int], ...] = ()

    def places(self) -> dict[Place, int]:
        """The positions by partition."""
        return {Place(topic, partition): offset for topic, partition, offset in self.positions}


def read(client: Any, database: str) -> State | None:
    """What is remembered; nothing where there is no rebuild.

    Raises:
        Unreachable, Misconfigured: ClickHouse cannot be asked.
    """
    names = {"database": database}
    there = query(
        client,
        "SELECT 1 FROM system.tables WHERE database = %(database)s AND name = 'rebuild_state'",
        names,
    )
    if not there:
        return None
    rows = query(client, f"SELECT state FROM {database}.rebuild_state ORDER BY at DESC LIMIT 1")  # noqa: S608 - a checked name
    return msgspec.json.decode(rows[0]["state"], type=State) if rows else None


def write(client: Any, database: str, state: State) -> None:
    """Remember; returns once it is on the disk.

    Raises:
        Unreachable, Misconfigured: ClickHouse does not take it.
    """
    with explained():
        client.execute(
            f"CREATE TABLE IF NOT EXISTS {database}.rebuild_state (at DateTime64(6, 'UTC'), state String) "
            "ENGINE = MergeTree ORDER BY at SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"
        )
        client.execute(
            f"INSERT INTO {database}.rebuild_state SELECT now64(6, 'UTC'), %(state)s",
            {"state": msgspec.json.encode(state).decode()},
        )


def table_id(client: Any, database: str, table: str) -> str:
    """The server's id of the rows that stand behind a name now; empty where there is no such table."""
    rows = query(
        client,
        "SELECT toString(uuid) AS id FROM system.tables WHERE database = %(database)s AND name = %(table)s",
        {"database": database, "table": table},
    )
    return rows[0]["id"] if rows else ""


def exchanged(client: Any, live: str, pair: Pair) -> bool:
    """Whether the rebuilt table is in place already.

    Raises:
        Unreachable, Misconfigured: ClickHouse cannot be asked.
    """
    return table_id(client, live, pair.table) != pair.old


def exchange(client: Any, live: str, spare: str, pair: Pair) -> None:
    """Put the rebuilt table in the place of the old one, at once for all readers.

    Raises:
        Unreachable: nobody knows whether it is done: ask `exchanged`.
        Misconfigured: the server refuses.
    """
    with explained():
        client.execute(f"EXCHANGE TABLES {live}.{pair.table} AND {spare}.{pair.table}")
