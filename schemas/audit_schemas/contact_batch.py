"""The contact batch: the changes of one contact in one window, or some of its history."""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

from audit_schemas.enriched import EnrichedEvent
from audit_schemas.event import STRICT
from audit_schemas.types import AccountId, EventId, Instant, Key


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactBatch:
    """One part, of perhaps several, of a contact's changes in a window.

    How many parts there are depends on sizes and restarts: nothing may count them.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    id: EventId
    """Derived from topic, partition, window, contact and the two offsets: equal ids hold equal changes."""
    account: AccountId
    contact: Key
    window: int | None = None
    """Start of the window, seconds since the epoch; nothing for a backfill, which waits for no window."""
    window_end: int | None = None
    """End of the window, seconds since the epoch."""
    topic: Key
    """Where the changes were read: audit.contact-changes, or audit.changes for a backfill."""
    partition: int
    first_offset: int
    last_offset: int
    """Offsets of the first and the last of these changes; others lie between them."""
    closed_at: Instant | None = None
    """Append time of the record that proved the window over; nothing for a backfill."""
    events: tuple[EnrichedEvent, ...]
    """In the order of their offsets."""
