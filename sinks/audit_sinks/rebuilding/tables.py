"""Which tables can be made again from the topics, and what the server knows of them.

Keys and columns are asked of the server, so that the migrations stay the one definition of a table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit_sinks.clickhouse import explained, query
from audit_sinks.errors import Misconfigured
from audit_sinks.tables import FEEDS, MARKS

SETTINGS: Mapping[str, object] = {
    "do_not_merge_across_partitions_select_final": 1,
    # A year of keys may be larger than the memory: the rest goes to the disk.
    "max_bytes_before_external_group_by": 1 << 30,
    "join_algorithm": "grace_hash",
    "max_bytes_in_join": 1 << 30,
}
"""With which two tables are held against each other."""

WORDING = ("module", "description", "description_key", "named_by_producer", "catalogue_version")
_PROVENANCE = frozenset({"version", "stored_at", "contact_batch_id"})
"""How and when a row came, which is not what it says: equal events may differ in it."""

BY_TIME = frozenset({"audit_events", "contact_events"})
"""Tables whose rows carry the broker's own time: it says which of them Kafka still has.

The others carry the clock of whoever wrote them, or come from compacted topics: there each row that
Kafka does not have is kept.
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
    def joined_key(self) -> str:
        """The columns of its key, with commas between them."""
        return ", ".join(self.key)

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


def partitions(client: Any, *tables: str) -> dict[str, int]:
    """The partitions of any of some tables, with the rows of all of them, repeats included.

    Args:
        client: of ClickHouse.
        tables: with their databases.
    """
    rows = query(
        client,
        "SELECT partition_id, sum(rows) AS there FROM system.parts "
        "WHERE active AND concat(database, '.', table) IN %(tables)s "
        "GROUP BY partition_id ORDER BY partition_id",
        {"tables": tables},
    )
    return {row["partition_id"]: row["there"] for row in rows}


def snapshot(client: Any, database: str, table: str, into: str) -> str:
    """Keep a table as it is now, under another name: the server links its files, which takes no time.

    Returns:
        The full name of the snapshot.

    Raises:
        Unreachable, Misconfigured: ClickHouse cannot be asked, or refuses.
    """
    name = f"{into}.{table}_before"
    with explained():
        client.execute(f"CREATE TABLE {name} CLONE AS {database}.{table}")
    return name


def size(client: Any, database: str, tables: Sequence[str] = tuple(TOPIC_OF)) -> int:
    """Bytes on disk of tables."""
    (found,) = query(
        client,
        "SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = %(database)s "
        "AND table IN %(tables)s",
        {"database": database, "tables": tuple(tables)},
    )
    return int(found["bytes"])
