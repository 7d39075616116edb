"""What the processor refuses, and the dead letter that it makes of it."""

from datetime import datetime
from typing import Any

import msgspec

from audit_schemas.dead_letter import DeadLetter, Reason, Refusable
from audit_schemas.errors import Invalid

STAGE = "processor"


class TooLarge(Invalid):
    """The enriched event does not fit its topic."""


REFUSALS = (msgspec.DecodeError, UnicodeDecodeError, Invalid)
"""What is the record's own fault, and stays so."""


def reason_of(error: Exception) -> Reason:
    """The code that a refusal is counted by: malformed, invalid or too_large."""
    if isinstance(error, TooLarge):
        return "too_large"
    return "invalid" if isinstance(error, Invalid | msgspec.ValidationError) else "malformed"


def dead_letter(
    record: Any, error: Exception, *, received_at: datetime, failed_at: datetime
) -> tuple[bytes, bytes]:
    """The dead letter of a record: key and value.

    Args:
        record: aiokafka's ConsumerRecord.
        error: one of REFUSALS.
        received_at: the record's append time.
        failed_at: now.
    """
    refused = Refusable(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value,
        headers=tuple(record.headers),
        received_at=received_at,
    )
    detail = str(error) or type(error).__name__
    return DeadLetter.fitting(
        refused, stage=STAGE, reason=reason_of(error), detail=detail, failed_at=failed_at
    )
