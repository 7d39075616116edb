"""Who may read: permissions and zones from the directory as ClickHouse has it."""

# ruff: noqa: S608 - only placeholders are put together here; values are bound

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from audit_exporter.clickhouse import Connection
from audit_exporter.parameters import Binder, Query
from audit_schemas.errors import Invalid, Refused
from audit_schemas.permissions import Permission, permits


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who may read these accounts, and in which zone."""

    accounts: tuple[str, ...]
    actor: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class _Entry:
    """The directory's entry of an actor in one account."""

    permissions: tuple[str, ...]
    active: bool
    zone: str


def authorize(
    connection: Connection, accounts: tuple[str, ...], actor: str, needed: Permission, zone: str | None
) -> Reader:
    """Let an actor in, if every one of the accounts lets it.

    Args:
        connection: reads the tables actors and accounts.
        accounts: what is to be read, at least one.
        actor: who reads, by the service's identifier.
        needed: what for.
        zone: an IANA zone that goes before those of the directory.

    Raises:
        Refused: for an actor who is not known, has left, or lacks the permission, in any of the accounts.
        Invalid: when there is no such zone.
    """
    entries = _entries(connection, accounts, actor)
    for account in accounts:
        _check(entries.get(account), account, actor, needed)
    first = accounts[0]
    name = zone or entries[first].zone or _account_zone(connection, first) or "UTC"
    return Reader(accounts, actor, read_zone(name))


def _check(entry: _Entry | None, account: str, actor: str, needed: Permission) -> None:
    if entry is None:
        raise Refused(
            f"account {account!r} has no actor {actor!r}",
            remedy="--as takes the actor's id; `audit actor list` shows those of an account",
        )
    if not entry.active:
        raise Refused(f"actor {actor!r} has left account {account!r} and may no longer read it")
    if not permits(entry.permissions, needed):
        raise Refused(
            f"actor {actor!r} lacks the permission {needed.value!r} in account {account!r}",
            remedy="an administrator of the account can give it, with a role",
        )


def _entries(connection: Connection, accounts: tuple[str, ...], actor: str) -> dict[str, _Entry]:
    bind = Binder()
    sql = (
        "SELECT account_id, permissions, active, zone FROM actors FINAL "
        f"WHERE account_id IN {bind.texts(accounts)} AND actor_id = {bind.text(actor)}"
    )
    rows = connection.read(Query(sql, bind.parameters)).rows
    return {account: _Entry(tuple(held), bool(active), zone) for account, held, active, zone in rows}


def _account_zone(connection: Connection, account: str) -> str:
    bind = Binder()
    sql = f"SELECT zone FROM accounts FINAL WHERE account_id = {bind.text(account)}"
    rows = connection.read(Query(sql, bind.parameters)).rows
    return str(rows[0][0]) if rows else ""


def read_zone(name: str) -> ZoneInfo:
    """A zone of the IANA database by its name.

    Raises:
        Invalid: when there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Invalid(f"{name!r} is no time zone", remedy="write it as in Europe/Berlin") from None
