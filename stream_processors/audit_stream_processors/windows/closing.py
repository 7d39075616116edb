"""What is made of a part of closed windows: contact batches, and dead letters for what cannot be read."""

from collections.abc import Callable
from typing import cast

import msgspec

from audit_schemas import metrics
from audit_schemas.enriched import EnrichedEvent
from audit_schemas.errors import Invalid
from audit_schemas.topics import CONTACT_BATCHES
from audit_schemas.wire import struct_of, too_deep
from audit_stream_processors.enrichment.enrich import CONTACT
from audit_stream_processors.refusal import REFUSALS, Clock, Send, Streak, moment, refuser
from audit_stream_processors.transport import Run
from audit_stream_processors.windows.batches import Change, batches
from audit_stream_processors.windows.stamp import is_tick

STAGE = "windows"

_decoder = msgspec.json.Decoder(struct_of(EnrichedEvent, strict=False))


def closer(send: Send, clock: Clock, *, refusal_limit: int) -> Callable[[Run, int], int]:
    """Make the function that turns a run of audit.contact-changes into batches.

    It is told how many records were refused in a row before the run, and says how many are after it.

    The stamp that the event itself carries counts, so that each change comes into its own window
    however late it is delivered.
    """
    refuse = refuser(send, clock, STAGE)

    def close(run: Run, refused: int = 0) -> int:
        streak = Streak(refused, refusal_limit)
        found: list[Change] = []
        for record in run.records:
            if is_tick(record.value, record.headers):
                continue
            try:
                found.append(Change(record.offset, read_change(record.value or b""), record.value))
            except REFUSALS as error:
                streak.add(record, error, passed=len(found))
                refuse(record, error)
        for batch in batches(found, run.topic, run.partition, moment(run.proof.timestamp)):
            send(CONTACT_BATCHES.name, batch.value, batch.key, -1, [])
        metrics.EVENTS.labels(STAGE, "passed").inc(len(found))
        return streak.at_end(passed=len(found))

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
