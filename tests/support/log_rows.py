"""Puts events and a directory into ClickHouse's tables, as the sink would leave them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from clickhouse_driver import Client

from audit_schemas.permissions import Permission
from audit_schemas.settings import ClickHouse

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
VIEWER = "viewer"

_COLUMNS: dict[str, Any] = {
    "module": "contacts",
    "description": "Changed the phone",
    "description_key": "changed",
    "catalogue_version": 1,
    "actor_type": "agent",
    "actor_id": "7",
    "actor_name": "Ada Lovelace",
    "actor_email": "",
    "action_type": "update",
    "outcome": "success",
    "target_type": "contact",
    "target_id": "4711",
    "target_name": "Grace Hopper",
    "changes": [],
    "address": "",
    "ip": "203.0.113.7",
    "via": "web",
    "reason": "",
    "metadata": "{}",
    "recorded": "live",
    "window_start": None,
    "window_end": None,
    "batch_id": "",
    "on_behalf_of_name": "",
    "session_id": "",
    "request_id": "",
    "related": [],
    "outcome_reason": "",
    "place": "",
    "country": "",
    "client": "",
    "user_agent": "",
}
_EVENT = ("event_id", "account_id", "occurred_at", "received_at", *_COLUMNS)


def window(end: datetime) -> dict[str, datetime]:
    """The stamp of the three hours before a moment."""
    return {"window_start": end - timedelta(hours=3), "window_end": end}


class Log:
    """One account of its own in a ClickHouse that others use as well."""

    def __init__(self, url: str) -> None:
        self.server = ClickHouse.from_url(url)
        self.account = f"account-{uuid4()}"
        self._described = START
        self._client = Client(
            self.server.host,
            port=self.server.port,
            user=self.server.user,
            password=self.server.password.get_secret_value(),
            database=self.server.database,
            settings={"strings_as_bytes": True},
        )

    def let_in(
        self,
        actor: str = VIEWER,
        *permissions: str,
        active: bool = True,
        zone: str = "",
        account: str | None = None,
    ) -> None:
        """Describe an actor; without permissions he may view and export."""
        self.describe(actor, permissions or (Permission.EXPORT,), active=active, zone=zone, account=account)

    def describe(
        self,
        actor: str,
        permissions: Iterable[str],
        *,
        active: bool = True,
        zone: str = "",
        account: str | None = None,
    ) -> None:
        """Describe an actor with exactly these permissions."""
        row = (account or self.account, actor, "agent", list(permissions), zone, active, START)
        names = "account_id, actor_id, type, permissions, zone, active, updated_at"
        self._client.execute(f"INSERT INTO actors ({names}) VALUES", [_encoded(row)])

    def describe_account(self, *, plan: str = "", zone: str = "UTC", record_reads: bool = False) -> None:
        """Describe the account; what comes later counts."""
        self._described += timedelta(seconds=1)
        row = (self.account, plan, zone, record_reads, self._described)
        names = "account_id, plan, zone, record_reads, updated_at"
        self._client.execute(f"INSERT INTO accounts ({names}) VALUES", [_encoded(row)])

    def add(self, events: Iterable[dict[str, Any]]) -> list[UUID]:
        """Insert events; what one does not give is filled in. Returns their ids."""
        rows = [self._row(number, event) for number, event in enumerate(events)]
        self._client.execute(f"INSERT INTO audit_events ({', '.join(_EVENT)}) VALUES", rows)
        return [row[0] for row in rows]

    def sync(self, events: Iterable[UUID]) -> None:
        """Put events of the log into their contacts' activity, as if their windows were over."""
        found = [str(event) for event in events]
        if not found:
            return
        names = ", ".join(_EVENT)
        self._client.execute(
            f"INSERT INTO contact_events ({names}, contact_batch_id) SELECT {names}, generateUUIDv4() "
            "FROM audit_events WHERE account_id = %(account)s AND event_id IN %(events)s",
            {"account": self.account, "events": found},
        )

    def add_synced(self, events: Iterable[dict[str, Any]]) -> list[UUID]:
        """Insert events whose windows are over."""
        own = self.add(events)
        self.sync(own)
        return own

    def add_many(self, count: int) -> None:
        """Insert many simple events, one a second, numbered in target_id from 0."""
        self._client.execute(
            "INSERT INTO audit_events (event_id, account_id, occurred_at, received_at, module, description, "
            "description_key, catalogue_version, actor_type, action_type, outcome, target_type, target_id, "
            "recorded) SELECT generateUUIDv4(number), %(account)s, addSeconds(%(start)s, number) AS at, at, "
            "'contacts', concat('Changed contact ', toString(number)), 'changed', 1, 'agent', 'update', "
            "'success', 'contact', toString(number), 'live' FROM numbers(%(count)s)",
            {"account": self.account, "start": START, "count": count},
        )

    @contextmanager
    def complete_through(self, moment: datetime) -> Iterator[None]:
        """As long as the block runs, one mark says so, for all accounts."""
        self._client.execute("TRUNCATE TABLE partition_marks")
        self._client.execute(
            "INSERT INTO partition_marks (partition, partitions, offset, received_at) VALUES",
            [(0, 1, 0, moment)],
        )
        try:
            yield
        finally:
            self._client.execute("TRUNCATE TABLE partition_marks")

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()

    def _row(self, number: int, event: dict[str, Any]) -> tuple[Any, ...]:
        occurred_at = event.get("occurred_at", START + timedelta(seconds=number))
        keys = (
            event.get("event_id") or uuid4(),
            event.get("account_id", self.account),
            occurred_at,
            event.get("received_at", occurred_at + timedelta(seconds=1)),
        )
        return _encoded((*keys, *(event.get(name, default) for name, default in _COLUMNS.items())))


def _encoded(value: Any) -> Any:
    """Strings as bytes, so that a test can store some that are no UTF-8."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (list, tuple)):
        return type(value)(_encoded(item) for item in value)
    return value
