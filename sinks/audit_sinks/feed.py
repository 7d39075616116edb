"""How one topic's messages become rows of one table, as ClickHouse itself reads them.

A block is one column of messages. ClickHouse parses them itself, which is several times faster than
rows made in Python. Each feed spells out the JSON's types and every column's expression.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One topic's way into one table."""

    topic: str
    table: str
    structure: str
    """The message's JSON as a tuple's type: what is absent or null becomes the type's default."""
    rows: str = "message AS m"
    """What the tuple `message` is made into, row by row: the tuple `m`, and what else the columns need."""
    columns: Mapping[str, str]
    """Column -> its expression over the tuple `m`."""

    @property
    def insert(self) -> str:
        """The INSERT that takes a block of one String column.

        `isValidJSON` guards what JSONExtract would blank without a word; the table's constraints
        guard the rest. The subselects are there because VALUES must not follow a WHERE.
        """
        return (
            f"INSERT INTO {self.table} ({', '.join(self.columns)}) "  # noqa: S608 - all of it is written in this package
            f"SELECT {', '.join(self.columns.values())} FROM (SELECT {self.rows} "
            f"FROM (SELECT JSONExtract(payload, 'Tuple({self.structure})') AS message "
            "FROM input('payload String') "
            "WHERE NOT throwIf(NOT isValidJSON(payload), 'the message is no valid JSON'))) VALUES"
        )


def instant(expression: str) -> str:
    """A time's text as microseconds in UTC."""
    return f"parseDateTime64BestEffort({expression}, 6, 'UTC')"
