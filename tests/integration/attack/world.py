"""Two accounts with rows in every table, and somebody who may read the one."""

import http.client
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from clickhouse_driver import Client
from clickhouse_driver.errors import Error, ServerException

from audit_schemas.settings import ClickHouse
from audit_sinks.users.objects import OF_AN_ACCOUNT

from .way import Aim

_CODE = re.compile(r"Code: (\d+)\.")
_TABLES = ("audit_events", "contact_events", "contact_batches", "accounts", "actors", "dead_letters")
_FIXED = {
    "outcome": "'success'",
    "recorded": "'live'",
    "action_type": "'login'",
    "metadata": "'{}'",
    "target_type": "'contact'",
    "zone": "'UTC'",
    "catalogue_version": "1",
    "claimed_at": "''",
    "occurred_at": "now64(6, 'UTC') - INTERVAL 1 HOUR",
    "window_start": "toStartOfHour(now('UTC'))",
    "window_end": "toStartOfHour(now('UTC')) + INTERVAL 3 HOUR",
}
"""What the tables' constraints and views ask for."""


def aim() -> Aim:
    """An account that nobody else has."""
    made = uuid4().hex
    return Aim(
        account=f"account-{made[:12]}",
        event=str(uuid4()),
        contact=f"contact-{made[12:24]}",
        mark=f"mark{uuid4().hex}",
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What came, whatever it was."""

    text: str

    @property
    def lines(self) -> list[str]:
        """Its lines in an order of their own: most queries ask for none."""
        return sorted(self.text.splitlines())

    @property
    def code(self) -> int:
        """The server's error; 0: none."""
        found = _CODE.search(self.text)
        return int(found[1]) if found else 0


class Web:
    """Asks over HTTP, as one user."""

    def __init__(self, server: ClickHouse) -> None:
        self._server = server
        self._connection = http.client.HTTPConnection(server.host, server.http_port, timeout=30)

    def ask(
        self, sql: str, *, path: str = "/", headers: dict[str, str] | None = None, **arguments: str | int
    ) -> Answer:
        """Status, headers and body, as far as they do not change by themselves."""
        login = {
            "X-ClickHouse-User": self._server.user,
            "X-ClickHouse-Key": self._server.password.get_secret_value(),
        }
        given = {"database": self._server.database, "wait_end_of_query": 1, **arguments}
        self._connection.request(
            "POST", f"{path}?{urlencode(given)}", sql.encode(), {**login, **(headers or {})}
        )
        answer = self._connection.getresponse()
        return Answer(answer.read().decode(errors="replace"))

    def close(self) -> None:
        """Leave."""
        self._connection.close()


class Native:
    """Asks over the native protocol, as one user."""

    def __init__(self, server: ClickHouse) -> None:
        self._client = Client(
            server.host,
            port=server.port,
            user=server.user,
            password=server.password.get_secret_value(),
            database=server.database,
            settings={"strings_as_bytes": False},
        )

    def ask(self, sql: str) -> Answer:
        """The rows, or the error."""
        try:
            return Answer(repr(self._client.execute(sql)))
        except ServerException as error:
            return Answer(f"Code: {error.code}. {error.message}")
        except (Error, EOFError, OSError, ValueError) as error:
            self._client.disconnect()
            return Answer(f"{type(error).__name__}: {error}")

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()


def fill(admin: Any, whose: Aim) -> None:
    """Put a row with the account's mark in every text into each table.

    Args:
        admin: a connection that may.
        whose: the account.
    """
    for table in _TABLES:
        columns = admin.execute(
            "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = %(table)s "
            "AND default_kind NOT IN ('MATERIALIZED', 'ALIAS')",
            {"table": table},
        )
        values = {name: value for name, kind in columns if (value := _value(name, kind, whose)) is not None}
        admin.execute(f"INSERT INTO {table} ({', '.join(values)}) SELECT {', '.join(values.values())}")


def _value(name: str, kind: str, whose: Aim) -> str | None:
    own = {"account_id": whose.account, "event_id": whose.event, "target_id": whose.contact}
    if name in own:
        return f"'{own[name]}'"
    if name in _FIXED:
        return _FIXED[name]
    text = f"'{whose.mark} {name}'"
    if "String" in kind:
        tuple_of = f"({', '.join([text] * kind.count('String'))})" if "Tuple(" in kind else text
        return f"[{tuple_of}]" if kind.startswith("Array(") else text
    if kind == "UUID":
        return "generateUUIDv4()"
    return "now64(6, 'UTC')" if kind.startswith("DateTime64") else None


def kept(admin: Any, whose: Aim) -> dict[str, str]:
    """By table and view what an administrator finds of the account."""
    return {
        table: repr(
            admin.execute(f"SELECT * FROM {table} WHERE account_id = %(account)s", {"account": whose.account})
        )
        for table in OF_AN_ACCOUNT
    }
