"""What the checks of `audit verify` are told and what they find, whichever promise they ask for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from audit_schemas.grace import GRACE

EXAMPLES = 10
"""How many ids of each fault are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is checked."""

    accounts: Sequence[str] = ()
    """All where none is named."""
    since: datetime | None = None
    """Only events that happened from then on."""
    grace: timedelta = GRACE
    """How long what is due may take to be stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of what is wrong."""

    events: int
    examples: Sequence[UUID]
    """The first ids, not more than `EXAMPLES`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What one check found."""

    checked: int
    """How many events it looked at."""
    faults: Mapping[str, Fault]
    """By kind; all kinds that the check knows."""


Check = Callable[[Any, Scope], Checked]
"""Asks ClickHouse. Raises Unreachable or Misconfigured where it cannot be asked."""
