"""What the checks of `audit verify` are told and what they find, whichever promise they ask for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from audit_schemas.grace import GRACE

EXAMPLES = 10
"""How many examples of each kind are given."""

IN_SCOPE = (
    "received_at >= toDateTime64(%(since)s, 6, 'UTC') AND received_at < toDateTime64(%(until)s, 6, 'UTC')"
)
"""The condition of SQL for a scope; its values are `Scope.times`."""

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is checked."""

    accounts: Sequence[str] = ()
    """All where none is named."""
    since: datetime | None = None
    """Only what Kafka received from then on."""
    until: datetime | None = None
    """Only what Kafka received before then."""
    grace: timedelta = GRACE
    """How long what is due may take to be stored."""

    @property
    def times(self) -> dict[str, str]:
        """Both ends as ClickHouse reads them, to the microsecond: the driver would cut a time."""
        return {"since": sql_time(self.since or _FIRST), "until": sql_time(self.until or _LAST)}


def sql_time(moment: datetime) -> str:
    """A time in UTC as toDateTime64 reads it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


def shown(moment: datetime) -> str:
    """A time for a person, to the millisecond, as Kafka has them."""
    return moment.astimezone(UTC).isoformat(" ", "milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of what is wrong."""

    events: int = 0
    examples: Sequence[Any] = ()
    """The first of them, not more than `EXAMPLES`: each a sentence as text, and its parts as JSON."""
    earliest: datetime | None = None
    """Up to when nothing of this kind is missing; nothing where none is, as of what is twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is worth knowing, and is no fault."""

    events: int = 0
    examples: Sequence[Any] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What one check found."""

    checked: int
    """How many it looked at."""
    of: str = "events"
    """What these are."""
    faults: Mapping[str, Fault]
    """By kind; all kinds that the check knows."""
    notes: Mapping[str, Note] = field(default_factory=dict)
    """By kind."""


Tell = Callable[[str], None]
"""Is told what a check does at the moment, for a person who waits."""


def nothing(_: str) -> None:
    """Nobody waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where a check looks."""

    client: Any
    """Of ClickHouse."""
    kafka: str
    """Bootstrap servers."""
    now: datetime
    """By ClickHouse's clock, when the checks began."""
    complete_through: datetime | None = None
    """All that was received before was stored when the checks began; nothing where that is not known."""
    tell: Tell = nothing


Check = Callable[[Sources, Scope], Checked]
"""Raises Unreachable or Misconfigured where a server cannot be asked."""
