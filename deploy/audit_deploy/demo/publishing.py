"""What the demo publishes: the scripted day, or a person's own file."""

import json
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from audit_deploy.demo.runner import Runner
from audit_schemas.types import AccountId

_DAY = [sys.executable, "-m", "audit_producers.examples.helpdesk_day"]
_AUDITOR = "demo-auditor"
_ACCOUNT: TypeAdapter[str] = TypeAdapter(AccountId)
_EVER = ("2019-10-01", "2199-01-01")
"""Every time that a stored event can have."""


@dataclass(frozen=True)
class Look:
    """Whose activity is shown, and to whom."""

    account: str
    viewer: str
    contact: str
    former_phone: str | None = None
    """By which the contact is found first."""


@dataclass(frozen=True)
class Published:
    """What was sent, and how to look at it."""

    events: int
    rejected: int
    accounts: tuple[str, ...]
    actors: int
    """Entries of the directory: without them nobody may look."""
    viewer: str
    since: str
    until: str
    look: Look | None = None
    """Nothing where only ClickHouse knows which contact has something to show."""


def publish_day(run: Runner) -> Published:
    """Record the scripted day through the SDK; an agent without any audit permission looks at the contact."""
    told = run.read(_DAY)
    return Published(
        events=told["events"],
        rejected=0,
        accounts=(told["account"],),
        actors=len(told["actors"]),
        viewer=told["viewer"],
        since=told["since"],
        until=told["until"],
        look=Look(told["account"], told["agent"], told["contact"], told["former_phone"]),
    )


def publish_file(run: Runner, events: Path, rejected: Path) -> Published:
    """Publish a file's lines, and let an auditor read all of its accounts.

    Args:
        run: beside the stack.
        events: JSON lines.
        rejected: where bad lines are kept.
    """
    rejected.unlink(missing_ok=True)
    told = run.json("publish", str(events), "--rejected", str(rejected), codes=(0, 3))
    accounts = accounts_in(events)
    for account in accounts:
        run.quietly(
            "actor", "set", "--account", account, _AUDITOR, "--name", "Auditor", "--permission", "export"
        )
    since, until = _EVER
    return Published(
        events=told["published"],
        rejected=told["rejected"],
        accounts=accounts,
        actors=len(accounts),
        viewer=_AUDITOR,
        since=since,
        until=until,
    )


def accounts_in(events: Path) -> tuple[str, ...]:
    """The accounts that a file's lines name; lines that are no events name none."""
    found = set()
    with events.open("rb") as lines:
        for line in lines:
            with suppress(ValueError, TypeError, LookupError):
                found.add(_ACCOUNT.validate_python(json.loads(line)["account"]))
    return tuple(sorted(found))
