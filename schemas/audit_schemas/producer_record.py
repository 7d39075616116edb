"""What a publishing process says of itself, so that a missing event can be noticed."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from audit_schemas.types import Instant, Key


class ProducerRecord(BaseModel):
    """Start, heartbeat or stop of one publishing process.

    With the sequence numbers of its events it answers whether all that a process published has
    arrived: every number from 1 to `sequence` must be there. Of a process that was killed only what was
    acknowledged is owed; what it had in its queue then has a number, and went with it.
    """

    model_config = ConfigDict(frozen=True)

    service: Key
    instance: Key
    kind: Literal["start", "heartbeat", "stop"]
    sequence: int
    """The number of the instance's newest event; 0 before the first."""
    acknowledged: int | None = None
    """How many of them Kafka has acknowledged by now; nothing where an older producer does not say."""
    at: Instant
