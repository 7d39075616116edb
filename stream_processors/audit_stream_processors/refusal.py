"""What the processor refuses, and the dead letter that it makes of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from audit_schemas import metrics
from audit_schemas.dead_letter import DeadLetter, Reason, Refusable
from audit_schemas.errors import Invalid, Misconfigured
from audit_schemas.topics import DEAD_LETTERS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Clock = Callable[[], datetime]
Send = Callable[[str, bytes, bytes | None, int, list[Any]], None]
"""Topic, value, key, partition, headers."""


class TooLarge(Invalid):
    """The enriched event does not fit its topic."""


class TooManyRefused(Misconfigured):
    """So many records in a row are refused that the fault is rather ours, or a whole service's."""


class Streak:
    """Counts the refused records of one partition that have no good one among them, run by run.

    Past the limit the worker stops: otherwise a service gone wrong, or an old version of this one, would
    drain all that is published into the dead letters.
    """

    def __init__(self, before: int, limit: int, *, variable: str = "AUDIT_PROCESSOR_REFUSAL_LIMIT") -> None:
        """Begin a run.

        Args:
            before: how many there are up to its first record.
            limit: how many there may be; 0 for any number.
            variable: where the limit can be changed.
        """
        self._count, self._limit, self._variable = before, limit, variable
        self._passed = 0

    def add(self, record: Any, error: Exception, *, passed: int) -> None:
        """Count one more, `passed` good ones of the run after its beginning.

        Raises:
            TooManyRefused: it is one too many; nothing shall be made of it.
        """
        self._count = self._count + 1 if passed == self._passed else 1
        self._passed = passed
        if self._limit and self._count > self._limit:
            raise TooManyRefused(
                f"{self._limit:,} records in a row are refused, and so is the next one, "
                f"{record.topic}[{record.partition}] at {record.offset}: {error}",
                remedy="see `audit dead-letters list` and mend the service, or this version; to go "
                f"on all the same, start with a larger {self._variable}, or with 0 for no limit",
            )

    def at_end(self, *, passed: int) -> int:
        """How many there are after a run with `passed` good records."""
        return self._count if passed == self._passed else 0


REFUSALS = (msgspec.DecodeError, UnicodeDecodeError, Invalid)
"""What is the record's own fault, and stays so."""


def reason_of(error: Exception) -> Reason:
    """The code that a refusal is counted by: malformed, invalid or too_large."""
    if isinstance(error, TooLarge):
        return "too_large"
    return "invalid" if isinstance(error, Invalid | msgspec.ValidationError) else "malformed"


def dead_letter(
    record: Any, error: Exception, *, stage: str, received_at: datetime, failed_at: datetime
) -> tuple[bytes, bytes]:
    """The dead letter of a record: key and value.

    Args:
        record: aiokafka's ConsumerRecord.
        error: one of REFUSALS.
        stage: the part that refuses it.
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
        refused, stage=stage, reason=reason_of(error), detail=detail, failed_at=failed_at
    )


def refuser(send: Send, clock: Clock, stage: str) -> Callable[[Any, Exception], None]:
    """Make the function that sends a record's dead letter and counts it; `stage` is the part that refuses."""

    def refuse(record: Any, error: Exception) -> None:
        received_at = moment(record.timestamp)
        key, letter = dead_letter(record, error, stage=stage, received_at=received_at, failed_at=clock())
        send(DEAD_LETTERS.name, letter, key, -1, [])
        metrics.DEAD_LETTERS.labels(stage, reason_of(error)).inc()
        metrics.EVENTS.labels(stage, "refused").inc()

    return refuse


def moment(milliseconds: int) -> datetime:
    """A record's timestamp as a time in UTC."""
    return _EPOCH + timedelta(milliseconds=milliseconds)
