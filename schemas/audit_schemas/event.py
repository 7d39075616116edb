"""The event: who did what to what, when and from where. The one definition of it.

Frozen dataclasses. `wire` derives from them what msgspec reads; pydantic makes their JSON Schema, and
explains what msgspec refuses where data enters.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal, Self

from msgspec import UNSET
from pydantic import ConfigDict

from audit_schemas.keys import joined
from audit_schemas.types import EMPTY_OBJECT, AccountId, ActionName, EventId, Instant, JsonObject, Key, Value

ActorType = Literal["agent", "admin", "contact", "integration", "system", "unknown"]
Outcome = Literal["success", "failure"]
Trust = Literal["peer", "proxy", "asserted"]
Recorded = Literal["live", "backfill"]

STRICT = ConfigDict(extra="forbid", strict=True, revalidate_instances="always")


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody or something that can act."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    type: ActorType = "unknown"
    id: str | None = None
    """The service's own identifier of it; nothing where the author is not known."""
    name: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor(Principal):
    """Who did it, and for whom."""

    on_behalf_of: Principal | None = None
    """The person behind an impersonation, an integration or an import."""

    @classmethod
    def agent(cls, id: str, *, name: str | None = None, email: str | None = None) -> Self:  # noqa: A002
        """An agent of the helpdesk."""
        return cls(type="agent", id=id, name=name, email=email)

    @classmethod
    def admin(cls, id: str, *, name: str | None = None, email: str | None = None) -> Self:  # noqa: A002
        """An administrator of the account."""
        return cls(type="admin", id=id, name=name, email=email)

    @classmethod
    def contact(cls, id: str, *, name: str | None = None, email: str | None = None) -> Self:  # noqa: A002
        """A contact, acting for itself."""
        return cls(type="contact", id=id, name=name, email=email)

    @classmethod
    def integration(cls, id: str, *, name: str | None = None, behind: Principal | None = None) -> Self:  # noqa: A002
        """An API key or an app, with the person behind it."""
        return cls(type="integration", id=id, name=name, on_behalf_of=behind)

    @classmethod
    def system(cls, id: str, *, name: str | None = None) -> Self:  # noqa: A002
        """A job or a rule of the service itself."""
        return cls(type="system", id=id, name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What it was done to."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    type: Key
    id: Key
    name: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field's old and new value; absent, null and "" are three things."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    field: Key
    """A stable path within the target: `phone`, `address.city`."""
    label: str | None = None
    """The field's name as people see it."""
    old: Value = UNSET
    new: Value = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """From where it was done."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    address: str | None = None
    """As it was given: real logs hold host names, ports and names of services."""
    ip: str | None = None
    """The IP address, where the producer has parsed it."""
    ip_trust: Trust | None = None
    """How the address is known: the socket's peer, a trusted proxy's word, or only asserted."""
    forwarded_for: str | None = None
    """The raw chain of forwarding headers, as evidence."""
    user_agent: str | None = None
    session: str | None = None
    request_id: str | None = None
    via: str | None = None
    """The way in: web, api, import, sync, automation."""
    batch: str | None = None
    """The run of a sync or an import that this event belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Producer:
    """The process that published the event, and its place in what that process published."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    service: Key
    instance: Key
    """One running process; another after a restart or a fork."""
    sequence: int
    """Counts the instance's events from 1 without a gap: a missing number is a lost event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, as a service tells it."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    id: EventId
    """Minted once by the producer: every later step is free to repeat itself."""
    account: AccountId
    occurred_at: Instant
    action: ActionName
    target: Target
    actor: Actor = Actor()
    outcome: Outcome = "success"
    outcome_reason: str | None = None
    """Why it failed, in the service's words."""
    related: tuple[Target, ...] = ()
    """Further targets that this event also belongs to: a merge, an agent joining a group."""
    changes: tuple[Change, ...] = ()
    """In the order in which they were made; the same field may come twice."""
    origin: Origin = Origin()
    module: str | None = None
    """The module's key, where the service knows better than the catalogue's rules."""
    reason: str | None = None
    """Why it was done, in the actor's words."""
    metadata: JsonObject = field(default_factory=lambda: EMPTY_OBJECT)
    """The service's own keys."""
    idempotency_key: str | None = None
    """The service's name for this event, from which the id was derived."""
    recorded: Recorded = "live"
    producer: Producer | None = None


def partition_key(event: Event) -> bytes:
    """The Kafka key: everything about one target keeps its order."""
    return joined(event.account, event.target.type, event.target.id)
