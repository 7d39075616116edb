"""What reading leaves in the log itself: each refusal, and where an account wants it each reading.

Whoever runs a command is an operator; the agent whose permissions count is whom they read on behalf of.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from msgspec import Raw

from audit_exporter.access import LOG_NAMES, Need
from audit_schemas import own_events
from audit_schemas.event import Event, Origin, Principal, Target
from audit_schemas.permissions import Permission
from audit_schemas.wire import encode

TARGET = "audit_log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Somebody reads, or tries to."""

    operator: str
    """Who runs the command, as their system knows them."""
    viewer: Principal
    """Whose permissions count."""
    need: Need
    command: str
    asked: Mapping[str, Any]
    """The command's options."""
    at: datetime


def reading_event(account: str, reading: Reading) -> Event:
    """The event of a reading, in the account that is read."""
    log = reading.need.logs[0]
    given = {
        name: _said(value) for name, value in reading.asked.items() if value not in (None, "", (), False)
    }
    return Event(
        id=uuid4(),
        account=account,
        occurred_at=reading.at,
        action="export" if reading.need.permission is Permission.EXPORT else "view",
        target=Target(type=TARGET, id=log.value, name=LOG_NAMES[log]),
        actor=replace(own_events.operator(reading.operator), on_behalf_of=reading.viewer),
        origin=Origin(address=socket.gethostname()),
        module=own_events.MODULE,
        metadata=Raw(encode({"command": reading.command, "account": account, "asked": given})),
    )


def refusal_event(account: str, reading: Reading, reason: str, *, kept_in: str) -> Event:
    """The event of a refusal.

    Args:
        account: which refuses.
        reading: who, and what for.
        reason: why.
        kept_in: the account whose log keeps it: an account that nobody has gets no log by being asked for.
    """
    event = reading_event(account, reading)
    return replace(event, account=kept_in, outcome="failure", outcome_reason=reason)


def _said(value: object) -> object:
    """An option's value as JSON has it."""
    if isinstance(value, tuple):
        return [_said(item) for item in value]
    return value if isinstance(value, bool | int | str) else str(value)
