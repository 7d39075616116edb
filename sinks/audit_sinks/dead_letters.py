"""Reading the dead letters back from ClickHouse."""

import base64
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from audit_sinks.clickhouse import query
from audit_sinks.errors import Invalid

_SELECT = (
    "SELECT dead_letter_id AS id, stage, reason, detail, topic, partition, offset, key, value, headers, "
    "received_at, failed_at FROM dead_letters FINAL"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLetter:
    """One refused message."""

    id: UUID
    stage: str
    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    key: str | None
    """Base64, as are `value` and the headers' values."""
    value: str | None
    headers: list[tuple[str, str]]
    received_at: datetime
    failed_at: datetime

    @property
    def place(self) -> str:
        """Topic, partition and offset in one word."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    def value_bytes(self) -> bytes:
        """The refused record's value, as it was; nothing where it had none."""
        return base64.b64decode(self.value or "")

    def summary(self) -> dict[str, Any]:
        """All but the bytes."""
        return {
            name: value for name, value in asdict(self).items() if name not in ("key", "value", "headers")
        }


def newest(client: Any, limit: int) -> list[StoredLetter]:
    """The newest dead letters, the newest first."""
    order = "ORDER BY dead_letters.received_at DESC, dead_letter_id DESC LIMIT %(limit)s"
    return [StoredLetter(**row) for row in query(client, f"{_SELECT} {order}", {"limit": limit})]


def find(client: Any, letter_id: UUID) -> StoredLetter:
    """One dead letter.

    Raises:
        Invalid: there is none with this id.
    """
    rows = query(client, f"{_SELECT} WHERE dead_letter_id = %(id)s", {"id": letter_id})
    if not rows:
        raise Invalid(f"no dead letter has the id {letter_id}", remedy="`audit dead-letters list` shows them")
    return StoredLetter(**rows[0])


def at(client: Any, topic: str, partition: int, offset: int) -> list[StoredLetter]:
    """The dead letters of one record."""
    place = "topic = %(topic)s AND partition = %(partition)s AND offset = %(offset)s"
    values = {"topic": topic, "partition": partition, "offset": offset}
    return [StoredLetter(**row) for row in query(client, f"{_SELECT} WHERE {place}", values)]
