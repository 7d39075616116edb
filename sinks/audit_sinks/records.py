"""Kafka's records as this part sees them, with the types that the library leaves open."""

from datetime import UTC, datetime

from confluent_kafka import Message

from audit_schemas.dead_letter import Refusable


def headers(message: Message) -> list[tuple[str, bytes | None]]:
    """A record's headers, in order."""
    found = message.headers() or ()
    pairs = found.items() if isinstance(found, dict) else found
    return [(name, _as_bytes(value)) for name, value in pairs]


def appended_at(message: Message) -> datetime:
    """When Kafka appended it."""
    _, milliseconds = message.timestamp()
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def refusable(message: Message) -> Refusable:
    """All that is needed to look at a record again."""
    return Refusable(
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        key=_as_bytes(message.key()),
        value=_as_bytes(message.value()),
        headers=tuple(headers(message)),
        received_at=appended_at(message),
    )


def _as_bytes(data: str | bytes | None) -> bytes | None:
    return data.encode() if isinstance(data, str) else data
