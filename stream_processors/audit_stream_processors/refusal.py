"""From a record that cannot be processed to a dead letter that fits its topic."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from audit_schemas.dead_letter import DeadLetter, Reason, Refusable
from audit_schemas.errors import Invalid
from audit_schemas.topics import DEAD_LETTERS, KIB, Topic

STAGE = "processor"

_ENVELOPE = 64 * KIB
"""Room for what Kafka puts around a record, and for data that grows when it is compressed."""


class TooLarge(Invalid):
    """The enriched event does not fit its topic."""


REFUSALS = (msgspec.DecodeError, UnicodeDecodeError, Invalid)
"""What is the record's own fault, and stays so."""


def room(topic: Topic) -> int:
    """The largest record of a topic, in bytes, with its key and headers."""
    return topic.limit - _ENVELOPE


def reason_of(error: Exception) -> Reason:
    """The code that a refusal is counted by: malformed, invalid or too_large."""
    if isinstance(error, TooLarge):
        return "too_large"
    return "invalid" if isinstance(error, Invalid | msgspec.ValidationError) else "malformed"


def dead_letter(record: Any, error: Exception, *, received_at: datetime, failed_at: datetime) -> bytes:
    """The dead letter of a record, as JSON that fits the topic.

    Sizes are a ladder, but a compressed batch can hold a record far beyond it. What is too large
    even for a dead letter is left out of it, named, and still lies in its own topic.

    Args:
        record: aiokafka's ConsumerRecord.
        error: one of REFUSALS.
        received_at: the record's append time.
        failed_at: now.
    """
    detail = str(error) or type(error).__name__
    for kept, left_out in _ladder(record):
        letter = DeadLetter.of(
            _refusable(record, kept, received_at),
            stage=STAGE,
            reason=reason_of(error),
            detail=f"{detail}; too large for a dead letter: {left_out}" if left_out else detail,
            failed_at=failed_at,
        )
        data = letter.model_dump_json().encode()
        if len(data) <= room(DEAD_LETTERS):
            break
    return data


_Kept = frozenset[str]


def _ladder(record: Any) -> Iterable[tuple[_Kept, str]]:
    """What to keep of the record, from all of it to nothing, and what is then left out."""
    yield frozenset({"value", "key", "headers"}), ""
    value = f"the value of {len(record.value or b''):,} bytes"
    yield frozenset({"key", "headers"}), value
    yield frozenset(), f"{value}, the key of {len(record.key or b''):,} bytes, the headers"


def _refusable(record: Any, kept: _Kept, received_at: datetime) -> Refusable:
    return Refusable(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key if "key" in kept else None,
        value=record.value if "value" in kept else None,
        headers=tuple(record.headers) if "headers" in kept else (),
        received_at=received_at,
    )
