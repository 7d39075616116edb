"""Reading the dead letters back from ClickHouse."""

from typing import Any
from uuid import UUID

from audit_schemas.dead_letter import DeadLetter
from audit_sinks.clickhouse import query
from audit_sinks.errors import Invalid

_SELECT = (
    "SELECT dead_letter_id AS id, stage, reason, detail, topic, partition, offset, key, value, headers, "
    "received_at, failed_at FROM dead_letters FINAL"
)


_BYTES = {"key", "value", "headers"}


def place(letter: DeadLetter) -> str:
    """Topic, partition and offset in one word."""
    return f"{letter.topic}/{letter.partition}/{letter.offset}"


def summary(letter: DeadLetter) -> dict[str, Any]:
    """All but the bytes."""
    return letter.model_dump(exclude=_BYTES)


def newest(client: Any, limit: int) -> list[DeadLetter]:
    """The newest dead letters, the newest first."""
    order = "ORDER BY dead_letters.received_at DESC, dead_letter_id DESC LIMIT %(limit)s"
    return [DeadLetter(**row) for row in query(client, f"{_SELECT} {order}", {"limit": limit})]


def find(client: Any, letter_id: UUID) -> DeadLetter:
    """One dead letter.

    Raises:
        Invalid: there is none with this id.
    """
    rows = query(client, f"{_SELECT} WHERE dead_letter_id = %(id)s", {"id": letter_id})
    if not rows:
        raise Invalid(f"no dead letter has the id {letter_id}", remedy="`audit dead-letters list` shows them")
    return DeadLetter(**rows[0])


def at(client: Any, topic: str, partition: int, offset: int) -> list[DeadLetter]:
    """The dead letters of one record."""
    place = "topic = %(topic)s AND partition = %(partition)s AND offset = %(offset)s"
    values = {"topic": topic, "partition": partition, "offset": offset}
    return [DeadLetter(**row) for row in query(client, f"{_SELECT} WHERE {place}", values)]
