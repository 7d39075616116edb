"""What is made of a part of closed windows: contact batches, and dead letters for what cannot be read."""

from collections.abc import Callable, Iterator
from typing import cast

import msgspec

from audit_schemas import metrics
from audit_schemas.enriched import EnrichedEvent
from audit_schemas.errors import Invalid
from audit_schemas.topics import CONTACT_BATCHES
from audit_schemas.wire import struct_of, too_deep
from audit_stream_processors.enrichment.enrich import CONTACT
from audit_stream_processors.refusal import REFUSALS, Clock, Send, moment, refuser
from audit_stream_processors.transport import Run
from audit_stream_processors.windows.batches import Change, batches
from audit_stream_processors.windows.stamp import is_tick

STAGE = "windows"

_decoder = msgspec.json.Decoder(struct_of(EnrichedEvent, strict=False))


def closer(send: Send, clock: Clock) -> Callable[[Run], None]:
    """Make the function that turns a run of audit.contact-changes into batches.

    The stamp that the event itself carries counts, so that each change comes into its own window
    however late it is delivered.
    """
    refuse = refuser(send, clock, STAGE)

    def close(run: Run) -> None:
        found = list(changes(run))
        for batch in batches(found, run.topic, run.partition, moment(run.proof.timestamp)):
            send(CONTACT_BATCHES.name, batch.value, batch.key, -1, [])
        metrics.EVENTS.labels(STAGE, "passed").inc(len(found))

    def changes(run: Run) -> Iterator[Change]:
        for record in run.records:
            if is_tick(record.value, record.headers):
                continue
            try:
                yield Change(record.offset, read_change(record.value or b""), record.value)
            except REFUSALS as error:
                refuse(record, error)

    return close


def read_change(value: bytes) -> EnrichedEvent:
    """Read a contact change.

    Raises:
        msgspec.DecodeError: it is no JSON, or no enriched event.
        Invalid: it has no window, or is of something else.
    """
    try:
        event = cast("EnrichedEvent", _decoder.decode(value))
    except RecursionError:
        raise too_deep() from None
    if event.window is None or event.window_end is None or event.target.type != CONTACT:
        raise Invalid("not a contact's change with the window that it belongs to")
    return event
