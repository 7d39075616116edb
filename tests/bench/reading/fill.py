"""Puts the generated log into the tables, and the same rows into a plain table ordered by time."""

from typing import Any

from audit_schemas.settings import ClickHouse
from audit_sinks.clickhouse import connect
from reading import generator

PLAIN = "plain"
"""The peer's database: the same names in it, so that the same queries read it."""
_SMALLEST_BLOCK = 50_000
_BLOCKS = 200
_SETTINGS = {
    # One insert is one block, as the sink's are, and `stored_at` is given: it would be the same for all rows.
    "async_insert": 0,
    "insert_allow_materialized_columns": 1,
    "min_insert_block_size_rows": 10_000_000,
    "min_insert_block_size_bytes": 0,
    "max_insert_threads": 1,
    "exclude_materialize_skip_indexes_on_insert": "by_words",
}


def fill(server: ClickHouse, events: int) -> None:
    """Fill the log, the contacts' activity and the peer, block after block in the order of time.

    The parts are left as the background's merges leave them.
    """
    block = max(_SMALLEST_BLOCK, events // _BLOCKS)
    with connect(server) as client:
        _make_peer(client, server.database)
        described = client.execute(f"DESCRIBE ({generator.rows(events, 0, 1)})")
        names = ", ".join(name for name, *_ in described)
        for first in range(0, events, block):
            end = min(first + block, events)
            rows = generator.rows(events, first, end)
            contacts = generator.rows(events, first, end, where=generator.CONTACTS)
            repeated = generator.rows(events, max(0, first - block), first, where=generator.REPEATED)
            late = f"SELECT * REPLACE (received_at + INTERVAL 1 MINUTE AS received_at) FROM ({repeated})"
            block_rows = f"SELECT * FROM ({rows}) UNION ALL {late}"
            batch = "reinterpret(sipHash128(account_id, target_id, window_start), 'UUID')"
            _insert(client, f"audit_events ({names})", block_rows)
            _insert(client, f"{PLAIN}.audit_events ({names})", block_rows)
            _insert(
                client, f"contact_events ({names}, contact_batch_id)", f"SELECT *, {batch} FROM ({contacts})"
            )


def _insert(client: Any, table: str, rows: str) -> None:
    client.execute(f"INSERT INTO {table} {rows}", settings=_SETTINGS)


def _make_peer(client: Any, database: str) -> None:
    """A plain MergeTree with the same columns and codecs, in the order of time, and the views over it."""
    for table in ("audit_events", "contact_events"):
        client.execute(f"TRUNCATE TABLE {table}")
    client.execute(f"DROP DATABASE IF EXISTS {PLAIN} SYNC")
    client.execute(f"CREATE DATABASE {PLAIN}")
    client.execute(
        f"CREATE TABLE {PLAIN}.audit_events AS {database}.audit_events "
        "ENGINE = MergeTree ORDER BY occurred_at"
    )
    indexes = client.execute(
        "SELECT name FROM system.data_skipping_indices WHERE database = %(database)s",
        {"database": PLAIN},
    )
    for (index,) in indexes:
        client.execute(f"ALTER TABLE {PLAIN}.audit_events DROP INDEX {index}")
    [(view,)] = client.execute(
        "SELECT as_select FROM system.tables WHERE database = %(database)s AND name = 'audit_log'",
        {"database": database},
    )
    of_peer = view.replace(f"{database}.audit_events FINAL", f"{PLAIN}.audit_events")
    client.execute(f"CREATE VIEW {PLAIN}.audit_log AS {of_peer}")
