"""From a record of a dump to an event of the past, with an id that the same record always gets."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from audit_producers.drafting import checked
from audit_producers.history.formats import Record
from audit_producers.history.reading import Reading
from audit_producers.history.values import Fields, as_text, fields_of
from audit_producers.ids import id_of_key
from audit_producers.occurrences import Occurrences
from audit_schemas.accepted_times import EARLIEST, TOLERANCE
from audit_schemas.errors import Invalid
from audit_schemas.event import Event
from audit_schemas.wire import encode

BACKFILL: Final = "backfill"
_NO_TIME = "occurred_at: is missing: history says when it happened"


class History:
    """Turns the records of one dump into events.

    An event's id is the record's own where it has one; else it is made of account, source and the
    record's key; else of source, content, and how many records like it came before. None of it
    depends on when or how often a dump is imported, and so nothing is ever stored twice.

    Args:
        reading: how a record becomes an event.
        source: the system that the records come from.
        account: whose they are, where a record does not say so.
    """

    def __init__(self, reading: Reading, *, source: str, account: str | None) -> None:
        self._reading = reading
        self._source = source
        self._head = encode([source, account])
        self._occurrences = Occurrences()

    def event_of(self, record: Record, now: datetime) -> tuple[Event, bytes]:
        """Read a record.

        Args:
            record: one of the dump, in its order.
            now: the time; what is later is no history.

        Returns:
            The event and its JSON, without a producer.

        Raises:
            Invalid: it is no event, has no time or one that the log does not keep, or is too large.
        """
        fields = fields_of(record)
        derived = self._derived(fields)  # first: a record counts among those like it even if it is refused
        filled = self._reading.fill(fields)
        filled["recorded"] = BACKFILL
        if "id" not in filled:
            filled["id"] = derived or self._of_key(filled)
        event, body = checked(encode(filled))
        _check_time(event.occurred_at, now)
        return event, body

    def pass_over(self, record: Record) -> None:
        """Count a record that was imported before among those like it."""
        with suppress(Invalid):
            self._derived(fields_of(record))

    def _derived(self, fields: Fields) -> UUID | None:
        if self._reading.is_named(fields):
            return None
        content = {name: value for name, value in fields.items() if name != "producer"}
        return self._occurrences.id_of(self._head + _canonical(content))

    def _of_key(self, filled: Mapping[str, Any]) -> UUID:
        account, key = filled.get("account"), filled.get("idempotency_key")
        if account is None or key is None:
            raise Invalid(f"{'account' if account is None else 'idempotency_key'}: is missing")
        return id_of_key(as_text(account), self._source, as_text(key))


_canonical = msgspec.json.Encoder(order="deterministic").encode


def events(account: str | None) -> Reading:
    """Records that are events already; the producer of an earlier publication is left behind."""

    def fill(fields: Fields) -> dict[str, Any]:
        filled: dict[str, Any] = {name: value for name, value in fields.items() if name != "producer"}
        if "occurred_at" not in filled:
            raise Invalid(_NO_TIME)
        if account is not None:
            filled.setdefault("account", account)
        return filled

    return Reading(fill, lambda fields: "id" in fields or "idempotency_key" in fields)


def _check_time(occurred_at: datetime, now: datetime) -> None:
    """Refuse what the processor would store at its append time, a repeat as another row."""
    if occurred_at < (earliest := EARLIEST[BACKFILL]):
        raise Invalid(
            f"occurred_at: {occurred_at.isoformat()} is before {earliest:%Y-%m-%d}, where history begins"
        )
    if occurred_at > now + TOLERANCE:
        raise Invalid(f"occurred_at: {occurred_at.isoformat()} is not in the past")
