"""Which tables can be made again from the topics, and what the server knows of them.

Keys and columns are asked of the server, so that the migrations stay the one definition of a table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit_sinks.clickhouse import query
from audit_sinks.errors import Misconfigured
from audit_sinks.tables import FEEDS, MARKS

WORDING = ("module", "description", "description_key", "named_by_producer", "catalogue_version")
_PROVENANCE = frozenset({"version", "stored_at", "contact_batch_id"})
"""How and when a row came, which is not what it says: equal events may differ in it."""

BY_TIME = frozenset({"audit_events", "contact_events"})
"""Tables whose rows carry the broker's own time: it says which of them Kafka still has.

The others are small, or carry the clock of whoever wrote them: they are copied whole, and what Kafka
has is laid over it.
"""

TOPIC_OF: Mapping[str, str] = {
    feed.table: feed.topic for feed in (*(feed for feeds in FEEDS.values() for feed in feeds), MARKS)
}
"""Every table that comes from a topic, in the order in which they are exchanged: the log before the
contacts' activity, so that no reader finds a change in the activity that the log has not."""

USUAL = tuple(table for table in TOPIC_OF if table != MARKS.table)
"""What is rebuilt where no table is named. Marks stay: what they said stays true, and one that is read
again would say that the log was late."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A table as the server describes it."""

    name: str
    key: Sequence[str]
    columns: Mapping[str, str]
    """Column -> type; without aliases."""

    @property
    def copied(self) -> list[str]:
        """The columns that are inserted; the server computes `version` from them."""
        return [name for name in self.columns if name != "version"]

    @property
    def bounded(self) -> bool:
        """Whether its rows know when they were stored."""
        return "stored_at" in self.columns

    @property
    def facts(self) -> str:
        """A hash of what happened: of all columns but the wording, and but how the row came."""
        left_out = {*WORDING, *_PROVENANCE} if self.worded else _PROVENANCE
        return self._hash([name for name in self.columns if name not in left_out])

    @property
    def words(self) -> str:
        """A hash of the wording; nothing in a table without one."""
        return self._hash(WORDING[:-1]) if self.worded else "0"

    @property
    def catalogue(self) -> str:
        """The catalogue of the wording; nothing in a table without one."""
        return WORDING[-1] if self.worded else "0"

    @property
    def worded(self) -> bool:
        """Whether its rows have a wording, which a newer catalogue may have made anew."""
        return WORDING[-1] in self.columns

    def _hash(self, names: Sequence[str]) -> str:
        """A null would make the whole hash one."""
        parts = [
            f"isNull({name}), ifNull(toString({name}), '')"
            if self.columns[name].startswith("Nullable")
            else name
            for name in names
        ]
        return f"cityHash64({', '.join(parts)})"


def shape(client: Any, database: str, table: str) -> Shape:
    """Ask the server for a table's definition.

    Raises:
        Misconfigured: it does not exist, or the server refuses.
        Unreachable: the server does not answer.
    """
    names = {"database": database, "table": table}
    found = query(
        client,
        "SELECT sorting_key FROM system.tables WHERE database = %(database)s AND name = %(table)s",
        names,
    )
    if not found:
        raise Misconfigured(f"there is no table {database}.{table}", remedy="run `audit migrate up`")
    columns = query(
        client,
        "SELECT name, type FROM system.columns WHERE database = %(database)s AND table = %(table)s "
        "AND default_kind != 'ALIAS' ORDER BY position",
        names,
    )
    return Shape(
        table, found[0]["sorting_key"].split(", "), {column["name"]: column["type"] for column in columns}
    )


def partitions(client: Any, databases: Sequence[str], table: str) -> dict[str, int]:
    """A table's partitions in either of the databases, with the rows of the larger copy, repeats included."""
    rows = query(
        client,
        "SELECT partition_id, max(there) AS rows_there FROM (SELECT partition_id, sum(rows) AS there "
        "FROM system.parts WHERE active AND database IN %(databases)s AND table = %(table)s "
        "GROUP BY database, partition_id) GROUP BY partition_id ORDER BY partition_id",
        {"databases": tuple(databases), "table": table},
    )
    return {row["partition_id"]: row["rows_there"] for row in rows}


def size(client: Any, database: str, tables: Sequence[str]) -> int:
    """Bytes on disk of tables."""
    (found,) = query(
        client,
        "SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = %(database)s "
        "AND table IN %(tables)s",
        {"database": database, "tables": tuple(tables)},
    )
    return int(found["bytes"])
