"""Who may read: permissions, plans and zones from the directory as ClickHouse has it."""

# ruff: noqa: S608 - only placeholders are put together here; values are bound

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from audit_exporter.clickhouse import Connection
from audit_exporter.errors import AccessRefused
from audit_exporter.parameters import Binder, Query
from audit_schemas.errors import Invalid
from audit_schemas.event import ActorType, Principal
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
    actor: Principal
    zone: ZoneInfo
    recorded: tuple[str, ...] = ()
    """Those of the accounts that want to know who reads their log."""


@dataclass(frozen=True, slots=True)
class _Actor:
    """The directory's entry of an actor in one account."""

    type: ActorType
    name: str
    permissions: tuple[str, ...]
    active: bool
    zone: str


@dataclass(frozen=True, slots=True)
class _Account:
    """The directory's entry of an account; one that nobody described has no plan."""

    plan: str = ""
    zone: str = ""
    record_reads: bool = False


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
        AccessRefused: for an actor who is not known, has left, or lacks the permission, or for a plan
            without the log, in any of the accounts.
        Invalid: when there is no such zone.
    """
    actors, described = _actors(connection, accounts, actor), _accounts(connection, accounts)
    for account in accounts:
        entry, plan = actors.get(account), described.get(account, _Account()).plan
        said = _fault(entry, account, actor, need.permission) or _missing(
            plan, account, need.logs, plans or read_plans()
        )
        if said:
            message, remedy = said
            raise AccessRefused(message, account=account, actor=_principal(actor, entry), remedy=remedy)
    first = accounts[0]
    name = zone or actors[first].zone or described.get(first, _Account()).zone or "UTC"
    recorded = tuple(account for account in accounts if described.get(account, _Account()).record_reads)
    return Reader(accounts, _principal(actor, actors[first]), read_zone(name), recorded)


def _principal(actor: str, entry: _Actor | None) -> Principal:
    return (
        Principal(id=actor)
        if entry is None
        else Principal(type=entry.type, id=actor, name=entry.name or None)
    )


_Said = tuple[str, str]
"""A refusal's message and its remedy."""


def _fault(entry: _Actor | None, account: str, actor: str, needed: Permission) -> _Said | None:
    """Why an actor may not read this account."""
    if entry is None:
        return (
            f"account {account!r} has no actor {actor!r}",
            "--as takes the actor's id; `audit actor list` shows those of an account",
        )
    if not entry.active:
        return f"actor {actor!r} has left account {account!r} and may no longer read it", ""
    if not permits(entry.permissions, needed):
        return (
            f"actor {actor!r} lacks the permission {needed.value!r} in account {account!r}",
            "an administrator of the account can give it, with a role",
        )
    return None


LOG_NAMES = {
    Log.BASIC: "the log of sign-ins",
    Log.ADVANCED: "the audit log",
    Log.CONTACT: "the contacts' activity",
}


def _missing(plan: str, account: str, logs: tuple[Log, ...], plans: Plans) -> _Said | None:
    """Which log an account does not have by its plan."""
    log = next((log for log in logs if not plans.has(plan, log)), None)
    if log is None:
        return None
    if not plans.knows(plan):
        return (
            f"account {account!r} has the plan {plan!r}, which is not known here: it has the basic log only",
            f"name one of {', '.join(plans.plans)} by `audit account set`, or add it to AUDIT_PLANS",
        )
    return (
        f"the plan {plan!r} of account {account!r} does not have {LOG_NAMES[log]}",
        f"all events are kept; it comes with {', '.join(plans.with_log(log)) or 'no plan'}",
    )


def is_known(connection: Connection, account: str) -> bool:
    """Whether the directory has this account, or anybody in it."""
    bind = Binder()
    found = " UNION ALL ".join(
        f"SELECT 1 FROM {table} WHERE account_id = {bind.text(account)}" for table in ("accounts", "actors")
    )
    return bool(connection.read(Query(f"SELECT 1 FROM ({found}) LIMIT 1", bind.parameters)).rows)


def _actors(connection: Connection, accounts: tuple[str, ...], actor: str) -> dict[str, _Actor]:
    bind = Binder()
    sql = (
        "SELECT account_id, type, name, permissions, active, zone FROM actors FINAL "
        f"WHERE account_id IN {bind.texts(accounts)} AND actor_id = {bind.text(actor)}"
    )
    rows = connection.read(Query(sql, bind.parameters)).rows
    return {
        account: _Actor(type_, name, tuple(held), bool(active), zone)
        for account, type_, name, held, active, zone in rows
    }


def _accounts(connection: Connection, accounts: tuple[str, ...]) -> dict[str, _Account]:
    bind = Binder()
    sql = (
        "SELECT account_id, plan, zone, record_reads FROM accounts FINAL "
        f"WHERE account_id IN {bind.texts(accounts)}"
    )
    rows = connection.read(Query(sql, bind.parameters)).rows
    return {account: _Account(plan, zone, bool(recorded)) for account, plan, zone, recorded in rows}


def read_zone(name: str) -> ZoneInfo:
    """A zone of the IANA database by its name.

    Raises:
        Invalid: when there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Invalid(f"{name!r} is no time zone", remedy="write it as in Europe/Berlin") from None
