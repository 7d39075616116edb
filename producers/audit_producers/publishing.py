"""From a line of a file to an event: the logic of `audit publish`, without its input and output."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Raw

from audit_producers.drafting import NEEDS_TIME, checked
from audit_producers.ids import id_of_key, uuid7
from audit_producers.occurrences import Occurrences
from audit_schemas.errors import Invalid
from audit_schemas.event import Event
from audit_schemas.wire import encode


class Lines:
    """Turns the lines of one file into events.

    A line that says when it happened, but not which event it is, gets an id derived from its bytes
    and from how many lines like it came before. So the same file can be published again, and nothing
    is stored twice, while lines that are alike within it stay as many as they are.

    Args:
        service: who publishes them.
    """

    def __init__(self, service: str) -> None:
        self._service = service
        self._occurrences = Occurrences()

    def event_of(self, line: bytes, now: datetime) -> tuple[Event, bytes]:
        """Read a line.

        Args:
            line: one JSON object, without white space around it.
            now: when it happened, if the line does not say so.

        Returns:
            The event and its JSON, without a producer.

        Raises:
            Invalid: it is no event, or (TooLarge) larger than an event may be.
        """
        draft: Any  # an event in which id and occurred_at may be UNSET
        draft, body = checked(line)
        if draft.producer is not None:  # of an earlier publication; this one has its own
            body = _without_producer(body)
        given: dict[str, Any] = {}
        if draft.id is UNSET:
            given["id"] = self._id(draft, line)
        if draft.occurred_at is UNSET:
            given["occurred_at"] = now
        if not given:
            return draft, body
        return msgspec.structs.replace(draft, **given), body[:-1] + b"," + encode(given)[1:]

    def _id(self, draft: Any, line: bytes) -> UUID:
        has_time = draft.occurred_at is not UNSET
        if draft.idempotency_key is not None:
            if not has_time:
                raise Invalid(NEEDS_TIME)
            return id_of_key(draft.account, self._service, draft.idempotency_key)
        return self._occurrences.id_of(line) if has_time else uuid7()


def _without_producer(body: bytes) -> bytes:
    fields = msgspec.json.decode(body, type=dict[str, Raw])
    del fields["producer"]
    return encode(fields)
