"""The dead letter: a message that could not be processed, with its bytes, its place and the reason."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Self
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict

from audit_schemas.topics import DEAD_LETTERS, KIB
from audit_schemas.types import EventId, Instant

Reason = Literal["malformed", "invalid", "too_large", "rejected"]
"""It is no JSON, no such message, larger than its topic takes, or refused by ClickHouse."""

_LONGEST_DETAIL = 4_000
_NAMESPACE = UUID("b3b8ed1c-7f06-4bb4-9d7c-6a0f3c2f9f51")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusable:
    """A Kafka record as it was fetched: all that is needed to look at it again."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    received_at: datetime
    """The record's append time."""


class DeadLetter(BaseModel):
    """What was refused, by whom and why; the bytes travel as base64, so that any bytes can."""

    model_config = ConfigDict(frozen=True)

    id: EventId
    """Derived from the place: a repeated refusal is the same dead letter."""
    stage: str
    """The part that refused it: processor, windows, sink."""
    reason: str
    """A `Reason`; text, so that one of a later version can still be read."""
    detail: str
    """What is wrong with it, for a person."""
    topic: str
    partition: int
    offset: int
    key: str | None
    value: str | None
    headers: tuple[tuple[str, str], ...] = ()
    """Names, and values as base64."""
    received_at: Instant
    """The append time of the refused record."""
    failed_at: Instant

    @classmethod
    def fitting(
        cls, record: Refusable, *, stage: str, reason: Reason, detail: str, failed_at: datetime
    ) -> tuple[bytes, bytes]:
        """Make the dead letter of a record as it goes to Kafka.

        Sizes are a ladder, but a compressed batch can hold a record far beyond it. What is too large
        even for a dead letter is left out, named in the detail, and still lies in its own topic.

        Returns:
            Key and value, which together fit the dead letters' topic.
        """
        detail = detail if len(detail) <= _LONGEST_DETAIL else f"{detail[:_LONGEST_DETAIL]}…"
        for kept, left_out in _ladder(record):
            said = f"{detail}; too large for a dead letter: {left_out}" if left_out else detail
            letter = cls.of(kept, stage=stage, reason=reason, detail=said, failed_at=failed_at)
            value = letter.model_dump_json().encode()
            if len(value) <= DEAD_LETTERS.room - KIB:
                break
        return str(letter.id).encode(), value

    @classmethod
    def of(cls, record: Refusable, *, stage: str, reason: Reason, detail: str, failed_at: datetime) -> Self:
        """Make the dead letter of a record.

        The append time is part of the identity: a topic that was made anew begins again at offset 0.
        """
        place = f"{record.topic}/{record.partition}/{record.offset}/{record.received_at.isoformat()}"
        return cls(
            id=uuid5(_NAMESPACE, place),
            stage=stage,
            reason=reason,
            detail=detail,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            key=_encoded(record.key),
            value=_encoded(record.value),
            headers=tuple((name, _encoded(value) or "") for name, value in record.headers),
            received_at=record.received_at,
            failed_at=failed_at,
        )

    def value_bytes(self) -> bytes | None:
        """The refused record's value, as it was."""
        return None if self.value is None else base64.b64decode(self.value)


def _ladder(record: Refusable) -> Iterator[tuple[Refusable, str]]:
    """The record with all, some and none of its data, and what was left out."""
    yield record, ""
    value = f"the value of {len(record.value or b''):,} bytes"
    yield replace(record, value=None), value
    rest = f"the key of {len(record.key or b''):,} bytes, the headers"
    yield replace(record, value=None, key=None, headers=()), f"{value}, {rest}"


def _encoded(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()
