"""The SQL of wording rows anew: reading some in the order of the key, and copying them within the server.

A row that is worded anew is a copy, made by the server, of all that the row holds, with five columns
replaced. So nothing else can change, not even a value that this program could not read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from audit_sinks.reenriching.rewording import SELECTED

REPLACED = ("module", "description", "description_key", "named_by_producer", "catalogue_version")
_SETTINGS = "SETTINGS do_not_merge_across_partitions_select_final = 1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of events, and the key by which it is sorted."""

    name: str
    key: tuple[str, ...]

    @property
    def key_columns(self) -> str:
        """The key as it is read: microseconds for a time, which the driver would cut to seconds."""
        return ", ".join(f"{_read(column)} AS k_{column}" for column in self.key)

    def bound(self, sign: str, prefix: str) -> str:
        """The condition that a row's key is beyond the one in the parameters `{prefix}0`, `{prefix}1` ...

        Spelled out column by column, since the index is used for that, and not for tuples.
        """
        ways = [
            " AND ".join(
                [
                    *(
                        f"{column} = {self._value(column, prefix, n)}"
                        for n, column in enumerate(self.key[:last])
                    ),
                    f"{self.key[last]} {sign} {self._value(self.key[last], prefix, last)}",
                ]
            )
            for last in range(len(self.key))
        ]
        return f"(({') OR ('.join(ways)}))"

    def _value(self, column: str, prefix: str, number: int) -> str:
        value = f"%({prefix}{number})s"
        return {
            "occurred_at": _moment(value),
            "event_id": f"toUUID({value})",
        }.get(column, value)


def _moment(value: str) -> str:
    return f"fromUnixTimestamp64Micro(toInt64({value}), 'UTC')"


def _read(column: str, of: str = "") -> str:
    return f"toUnixTimestamp64Micro({of}{column})" if column == "occurred_at" else of + column


TABLES = (
    Table("audit_events", ("account_id", "occurred_at", "event_id")),
    Table("contact_events", ("account_id", "target_id", "occurred_at", "event_id")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which events are worded anew; what is left open is not restricted."""

    account: str = ""
    since: datetime | None = None
    until: datetime | None = None
    """The first moment that is outside."""

    def condition(self) -> str:
        """SQL over the parameters below."""
        return " AND ".join(
            [
                "catalogue_version < %(newest)s",
                *(["account_id = %(account)s"] if self.account else []),
                *([f"occurred_at >= {_moment('%(since)s')}"] if self.since else []),
                *([f"occurred_at < {_moment('%(until)s')}"] if self.until else []),
            ]
        )

    def parameters(self, newest: int) -> dict[str, Any]:
        """The values of the condition; `newest` is the catalogue's version."""
        given = {"since": self.since, "until": self.until}
        moments = {name: (moment - _EPOCH) // _TICK for name, moment in given.items() if moment}
        return {"newest": newest, "account": self.account, **moments}


def keys(prefix: str, key: Sequence[Any]) -> dict[str, Any]:
    """A key as the parameters that `Table.bound` names."""
    return {f"{prefix}{number}": value for number, value in enumerate(key)}


def count(table: Table, scope: Scope) -> str:
    """How many rows there are to word."""
    return f"SELECT count() FROM {table.name} FINAL WHERE {scope.condition()} {_SETTINGS}"  # noqa: S608 - names of this package


def read(table: Table, scope: Scope, *, first: bool) -> str:
    """The next rows in the order of the key: the key, the version, and what the wording needs."""
    beyond = "true" if first else table.bound(">", "after")
    return (
        f"SELECT {table.key_columns}, version, catalogue_version, toValidUTF8({SELECTED}) "  # noqa: S608 - as above
        f"FROM {table.name} FINAL WHERE {scope.condition()} AND {beyond} "
        f"ORDER BY {', '.join(table.key)} LIMIT %(limit)s {_SETTINGS}, "
        "enable_named_columns_in_function_tuple = 0"
    )


def reworded(table: Table) -> list[tuple[str, str]]:
    """The columns of the block that goes to the server with `copy`."""
    types = {"occurred_at": "Int64", "event_id": "UUID"}
    own = [(f"k_{column}", types.get(column, "String")) for column in table.key]
    return [
        *own,
        ("k_version", "UInt64"),
        ("k_catalogue_version", "UInt32"),
        ("n_module", "String"),
        ("n_description", "String"),
        ("n_description_key", "String"),
        ("n_named_by_producer", "Array(String)"),
    ]


def copy(table: Table, columns: Sequence[str]) -> str:
    """Insert the rows of a block once more, with their new wording.

    A row that has changed since it was read is passed over: it is read again in the next run.

    Args:
        table: the table.
        columns: all of its columns but `version`, which the table makes.
    """
    new = {
        "module": "w.n_module",
        "description": "w.n_description",
        "description_key": "w.n_description_key",
        "named_by_producer": "w.n_named_by_producer",
        "catalogue_version": "toUInt32(%(newest)s)",
    }
    same = [f"{_read(column, 't.')} = w.k_{column}" for column in table.key]
    same += ["t.version = w.k_version", "t.catalogue_version = w.k_catalogue_version"]
    return (
        f"INSERT INTO {table.name} ({', '.join(columns)}) "  # noqa: S608 - as above
        f"SELECT {', '.join(new.get(column, f't.{column}') for column in columns)} "
        f"FROM (SELECT {', '.join([*columns, 'version'])} FROM {table.name} FINAL "
        f"WHERE {table.bound('>=', 'from')} AND {table.bound('<=', 'to')}) AS t "
        f"INNER JOIN reworded AS w ON {' AND '.join(same)} "
        f"{_SETTINGS}, insert_allow_materialized_columns = 1, insert_deduplicate = 0"
    )
