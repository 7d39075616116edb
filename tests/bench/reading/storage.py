"""What an event takes on the disk, column by column, and what it takes as JSON."""

from typing import Any

import msgspec

from audit_exporter.clickhouse import Connection
from audit_exporter.json_lines import event_json
from audit_exporter.parameters import Query

_SAMPLE = 10_000
_COLUMNS = """
    SELECT column, sum(column_data_compressed_bytes + column_marks_bytes) AS bytes FROM system.parts_columns
    WHERE active AND database = currentDatabase() AND table = {table:String}
    GROUP BY column ORDER BY bytes DESC
"""
_INDEXES = """
    SELECT concat('index ', name), data_compressed_bytes + marks_bytes AS bytes
    FROM system.data_skipping_indices
    WHERE database = currentDatabase() AND table = {table:String} ORDER BY bytes DESC
"""
_ROWS = """
    SELECT sum(rows), count() FROM system.parts
    WHERE active AND database = currentDatabase() AND table = {table:String}
"""


def bytes_by_column(connection: Connection, table: str) -> dict[str, float]:
    """Bytes for each stored row: of each column and each index, the largest first of either."""
    of_table = {"table": table}
    ((rows, _),) = connection.read(Query(_ROWS, of_table)).rows
    found = [
        *connection.read(Query(_COLUMNS, of_table)).rows,
        *connection.read(Query(_INDEXES, of_table)).rows,
    ]
    return {name: size / rows for name, size in found}


def parts(connection: Connection, table: str) -> int:
    """How many parts the table is in."""
    return int(connection.read(Query(_ROWS, {"table": table})).rows[0][1])


def json_bytes(connection: Connection, account: str) -> float:
    """Bytes of an event as JSON without what is empty, on average of some of an account's."""
    sql = f"SELECT * FROM audit_log WHERE account_id = {{account:String}} LIMIT {_SAMPLE}"
    events = [
        _without_empty(event_json(row)) for row in connection.read(Query(sql, {"account": account})).dicts()
    ]
    return sum(len(msgspec.json.encode(event)) for event in events) / len(events)


def _without_empty(event: bytes) -> dict[str, Any]:
    return {
        name: value for name, value in msgspec.json.decode(event).items() if value not in ("", None, [], {})
    }
