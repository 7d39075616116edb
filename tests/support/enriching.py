"""Makes enriched events as the processors would, for the tests of what comes after them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from audit_schemas.contact_batch import ContactBatch
from audit_schemas.enriched import EnrichedChange, EnrichedEvent, EnrichedOrigin
from audit_schemas.event import Actor, Producer, Target
from audit_schemas.wire import encode

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def event_id(number: int, at: datetime = START) -> UUID:
    """A UUIDv7 that tells its number."""
    milliseconds = int(at.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | number)


def enriched(number: int = 1, **given: Any) -> EnrichedEvent:
    """An event of about 900 bytes with three changes; what is given wins."""
    occurred_at = START + timedelta(milliseconds=number)
    fields: dict[str, Any] = {
        "id": event_id(number, occurred_at),
        "account": f"account-{number % 10}",
        "occurred_at": occurred_at,
        "received_at": occurred_at + timedelta(seconds=1),
        "module": "contacts",
        "description": f"Ada Lovelace changed phone, city and note of contact Grace Hopper {number}",
        "description_key": "update",
        "catalogue_version": 1,
        "actor": Actor.agent(str(number % 50), name="Ada Lovelace", email=f"ada{number % 50}@example.com"),
        "action": "update",
        "outcome": "success",
        "target": Target(type="contact", id=str(number % 1000), name=f"Grace Hopper {number % 1000}"),
        "changes": (
            EnrichedChange(field="phone", label="Phone", old='"+1 555 0100"', new=f'"+1 555 {number}"'),
            EnrichedChange(field="address.city", label="City", old="null", new='"Arlington"'),
            EnrichedChange(field="note", label="Note", new='"called back, wants the invoice again"'),
        ),
        "origin": EnrichedOrigin(
            address=f"203.0.113.{number % 250}:443",
            ip=f"203.0.113.{number % 250}",
            ip_trust="proxy",
            scope="documentation",
            user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0",
            session=f"session-{number % 500}",
            request_id=f"request-{number}",
            via="web",
        ),
        "metadata": '{"ticket":4711}',
        "recorded": "live",
        "producer": Producer(service="helpdesk", instance="helpdesk-1", sequence=number),
        "source_partition": number % 6,
        "source_offset": number,
    }
    return EnrichedEvent(**{**fields, **given})


def message(number: int = 1, **given: Any) -> bytes:
    """The same as it lies in audit.events."""
    return encode(enriched(number, **given))


def contact_change(
    number: int,
    start: datetime | None,
    *,
    hours: int = 3,
    account: str = "a",
    contact: str = "c",
    **given: Any,
) -> EnrichedEvent:
    """A contact's change in the window that begins then, received a second later; a backfill without one.

    Equal numbers are copies of one event, whatever their windows.
    """
    window = int(start.timestamp()) if start else None
    fields: dict[str, Any] = {
        "id": event_id(number),
        "occurred_at": START,
        "received_at": (start or START) + timedelta(seconds=1),
        "window": window,
        "window_end": None if window is None else window + hours * 3600,
        "recorded": "live" if start else "backfill",
        "target": Target(type="contact", id=contact),
    }
    return enriched(number, account=account, **{**fields, **given})


def contact_batch(*events: EnrichedEvent, **given: Any) -> bytes:
    """These changes of one contact and window as they lie in audit.contact-batches."""
    first = events[0]
    fields: dict[str, Any] = {
        "id": uuid4(),
        "account": first.account,
        "contact": first.target.id,
        "window": first.window,
        "window_end": first.window_end,
        "topic": "audit.contact-changes.v1" if first.window else "audit.changes.v1",
        "partition": 3,
        "first_offset": 100,
        "last_offset": 99 + len(events),
        "closed_at": None if first.window_end is None else datetime.fromtimestamp(first.window_end, UTC),
        "events": events,
    }
    return encode(ContactBatch(**{**fields, **given}))
