"""Who may read: permissions, plans and zones from the directory as ClickHouse has it."""

# ruff: noqa: S608 - only placeholders are put together here; values are bound

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from audit_exporter.clickhouse import Connection
from audit_exporter.parameters import Binder, Query
from audit_schemas.errors import Invalid, Refused
from audit_schemas.permissions import Permission, permits
from audit_schemas.plans import Log, Plans, read_plans


@dataclass(frozen=True, slots=True)
class Need:
    """What reading something takes: a permission of whoever reads, and logs that the account's plan has."""

    permission: Permission
    logs: tuple[Log, ...]


SESSIONS = Need(Permission.VIEW, (Log.BASIC,))
LOG = Need(Permission.VIEW, (Log.ADVANCED,))
FILES = Need(Permission.EXPORT, (Log.ADVANCED,))
ACTIVITY = Need(Permission.ACTIVITY, (Log.CONTACT,))
PENDING = Need(Permission.VIEW, (Log.CONTACT, Log.ADVANCED))
"""What waits for the next sync is in the log already: only who may read that sees it."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who may read these accounts, and in which zone."""

    accounts: tuple[str, ...]
    actor: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class _Actor:
    """The directory's entry of an actor in one account."""

    permissions: tuple[str, ...]
    active: bool
    zone: str


@dataclass(frozen=True, slots=True)
class _Account:
    """The directory's entry of an account; one that nobody described has no plan."""

    plan: str = ""
    zone: str = ""


def authorize(
    connection: Connection,
    accounts: tuple[str, ...],
    actor: str,
    need: Need,
    zone: str | None = None,
    plans: Plans | None = None,
) -> Reader:
    """Let an actor in, if every one of the accounts lets it.

    Args:
        connection: reads the tables actors and accounts.
        accounts: what is to be read, at least one.
        actor: who reads, by the service's identifier.
        need: what for.
        zone: an IANA zone that goes before those of the directory.
        plans: which plan has which log, where not those that come with Auditlane.

    Raises:
        Refused: for an actor who is not known, has left, or lacks the permission, or for a plan without
            the log, in any of the accounts.
        Invalid: when there is no such zone.
    """
    actors, described = _actors(connection, accounts, actor), _accounts(connection, accounts)
    for account in accounts:
        _check_actor(actors.get(account), account, actor, need.permission)
        for log in need.logs:
            _check_plan(described.get(account, _Account()).plan, account, log, plans or read_plans())
    first = accounts[0]
    name = zone or actors[first].zone or described.get(first, _Account()).zone or "UTC"
    return Reader(accounts, actor, read_zone(name))


def _check_actor(entry: _Actor | None, account: str, actor: str, needed: Permission) -> None:
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


_LOGS = {
    Log.BASIC: "the log of sign-ins",
    Log.ADVANCED: "the audit log",
    Log.CONTACT: "the contacts' activity",
}


def _check_plan(plan: str, account: str, log: Log, plans: Plans) -> None:
    if plans.has(plan, log):
        return
    if not plans.knows(plan):
        raise Refused(
            f"account {account!r} has the plan {plan!r}, which is not known here: it has the basic log only",
            remedy=f"name one of {', '.join(plans.plans)} by `audit account set`, or add it to AUDIT_PLANS",
        )
    raise Refused(
        f"the plan {plan!r} of account {account!r} does not have {_LOGS[log]}",
        remedy=f"all events are kept; it comes with {', '.join(plans.with_log(log)) or 'no plan'}",
    )


def _actors(connection: Connection, accounts: tuple[str, ...], actor: str) -> dict[str, _Actor]:
    bind = Binder()
    sql = (
        "SELECT account_id, permissions, active, zone FROM actors FINAL "
        f"WHERE account_id IN {bind.texts(accounts)} AND actor_id = {bind.text(actor)}"
    )
    rows = connection.read(Query(sql, bind.parameters)).rows
    return {account: _Actor(tuple(held), bool(active), zone) for account, held, active, zone in rows}


def _accounts(connection: Connection, accounts: tuple[str, ...]) -> dict[str, _Account]:
    bind = Binder()
    sql = f"SELECT account_id, plan, zone FROM accounts FINAL WHERE account_id IN {bind.texts(accounts)}"
    rows = connection.read(Query(sql, bind.parameters)).rows
    return {account: _Account(plan, zone) for account, plan, zone in rows}


def read_zone(name: str) -> ZoneInfo:
    """A zone of the IANA database by its name.

    Raises:
        Invalid: when there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Invalid(f"{name!r} is no time zone", remedy="write it as in Europe/Berlin") from None
