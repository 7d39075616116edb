"""The enriched event: what the processors make of an event, and what ClickHouse stores.

Values are JSON text within strings: a reader that parses the message cannot round or merge them.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import ConfigDict

from audit_schemas.event import STRICT, Actor, Outcome, Producer, Recorded, Target, Trust
from audit_schemas.types import AccountId, ActionName, EventId, Instant, Key

NamedPart = Literal["module", "labels"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichedChange:
    """One field's old and new value as JSON text; empty where the value is absent."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    field: Key
    label: str | None = None
    old: str = ""
    new: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichedOrigin:
    """From where it was done, and what is known of that place."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    address: str | None = None
    ip: str | None = None
    """The canonical IP address in `address`; nothing where it holds none."""
    ip_trust: Trust | None = None
    scope: str | None = None
    """What IANA's registries say of the address: global, private, shared, loopback …"""
    country: str | None = None
    """ISO 3166-1 alpha-2; nothing where no database knows it."""
    city: str | None = None
    network: str | None = None
    """Who owns the network, by its AS number's name."""
    place: str | None = None
    """Where it was, in words: Berlin, Germany; private network; sync job; a host's name."""
    forwarded_for: str | None = None
    user_agent: str | None = None
    client: str | None = None
    """What the user agent stands for, in words: Firefox 140 on Linux; Zapier."""
    session: str | None = None
    request_id: str | None = None
    via: str | None = None
    batch: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichedEvent:
    """An event with all that the log shows of it."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    id: EventId
    account: AccountId
    occurred_at: Instant
    claimed_at: str | None = None
    """The time that the producer gave, where it was out of range and `received_at` took its place."""
    received_at: Instant
    """When the broker appended the record to audit.changes: the only clock that all events share."""
    window: int | None = None
    """Start of the window of a contact's live change, seconds since the epoch; nothing for all else."""
    window_end: int | None = None
    """End of that window; from then on the change may be in the contact's activity."""
    module: Key
    description: str
    """The sentence that the log shows, frozen when the event was enriched."""
    description_key: str
    """The template that made it."""
    catalogue_version: int
    named_by_producer: tuple[NamedPart, ...] = ()
    """What of the wording the producer gave itself: it stays when the catalogue changes."""
    actor: Actor
    action: ActionName
    outcome: Outcome
    outcome_reason: str | None = None
    target: Target
    related: tuple[Target, ...] = ()
    changes: tuple[EnrichedChange, ...] = ()
    origin: EnrichedOrigin
    reason: str | None = None
    metadata: str = "{}"
    """JSON text of an object."""
    idempotency_key: str | None = None
    recorded: Recorded
    producer: Producer | None = None
    source_partition: int
    source_offset: int
    """Where the event lies in audit.changes."""
    notes: tuple[str, ...] = ()
    """What the processor had to correct or could not decide."""
    extra: str = ""
    """Fields of a newer producer that this version does not know: JSON text of path -> value."""
