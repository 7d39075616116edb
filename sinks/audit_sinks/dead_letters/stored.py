"""Reading the dead letters back from ClickHouse."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from audit_schemas.dead_letter import DeadLetter
from audit_sinks.clickhouse import query
from audit_sinks.errors import Invalid

_SELECT = (
    "SELECT dead_letter_id AS id, stage, reason, detail, topic, partition, offset, key, value, headers, "
    "received_at, failed_at FROM dead_letters FINAL"
)


_BYTES = {"key", "value", "headers"}

_OPEN = "dead_letter_id NOT IN (SELECT dead_letter_id FROM dead_letter_handling)"
_CONDITIONS = {
    "ids": "dead_letter_id IN %(ids)s",
    "reason": "reason = %(reason)s",
    "stage": "stage = %(stage)s",
    "topic": "topic = %(topic)s",
    "since": "failed_at >= toDateTime64(%(since)s, 6, 'UTC')",
}

_RELATED = """
SELECT dead_letter_id AS id, ifNull(hex(SHA256(value)) = %(hash)s, 0) AS same_bytes
FROM dead_letters FINAL
WHERE dead_letter_id != %(id)s AND (same_bytes
    OR ifNull(toUUIDOrNull(JSONExtractString(tryBase64Decode(assumeNotNull(value)), 'id')) = %(event_id)s, 0))
ORDER BY received_at DESC LIMIT 50
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which dead letters are meant: those that fit everything that is given."""

    ids: tuple[UUID, ...] = ()
    reason: str | None = None
    stage: str | None = None
    topic: str | None = None
    since: datetime | None = None
    """Refused from then on."""
    open_only: bool = True
    """Only what was neither replayed nor purged."""

    @property
    def given(self) -> dict[str, object]:
        """The values that narrow the choice, by name."""
        since = f"{self.since.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}" if self.since else None
        values = {"reason": self.reason, "stage": self.stage, "topic": self.topic, "since": since}
        return {name: value for name, value in {"ids": self.ids, **values}.items() if value}

    @property
    def where(self) -> str:
        """The condition in SQL, its values by the names of `given`."""
        return " AND ".join([_CONDITIONS[name] for name in self.given] + [_OPEN] * self.open_only) or "1"


@dataclass(frozen=True, slots=True)
class Related:
    """Another dead letter of what seems to be the same message."""

    id: UUID
    same: str
    """bytes, or only the event."""


class _Named(msgspec.Struct):
    id: UUID


def place(letter: DeadLetter) -> str:
    """Topic, partition and offset in one word."""
    return f"{letter.topic}/{letter.partition}/{letter.offset}"


def summary(letter: DeadLetter) -> dict[str, Any]:
    """All but the bytes."""
    return letter.model_dump(exclude=_BYTES)


def event_id(value: bytes | None) -> UUID | None:
    """The id that refused bytes carry, as far as they can be read."""
    try:
        return msgspec.json.decode(value or b"", type=_Named).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def newest(client: Any, choice: Choice, limit: int) -> list[DeadLetter]:
    """The newest dead letters of a choice, the newest first."""
    order = "ORDER BY dead_letters.received_at DESC, dead_letter_id DESC LIMIT %(limit)s"
    rows = query(client, f"{_SELECT} WHERE {choice.where} {order}", {**choice.given, "limit": limit})
    return [DeadLetter(**row) for row in rows]


def count(client: Any, choice: Choice) -> int:
    """How many a choice holds."""
    sql = f"SELECT count() AS letters FROM dead_letters FINAL WHERE {choice.where}"  # noqa: S608 - fixed texts
    return int(query(client, sql, choice.given)[0]["letters"])


def choose(client: Any, choice: Choice) -> list[UUID]:
    """The ids of a choice, in the order in which the records were appended.

    Raises:
        Invalid: an id that was asked for by name is not there.
    """
    order = "ORDER BY received_at, topic, partition, offset"
    sql = f"SELECT dead_letter_id AS id FROM dead_letters FINAL WHERE {choice.where} {order}"  # noqa: S608
    found = [row["id"] for row in query(client, sql, choice.given)]
    if unknown := set(choice.ids).difference(found):
        raise _unknown(*unknown)
    return found


def letters(client: Any, ids: Sequence[UUID]) -> list[DeadLetter]:
    """These dead letters with their bytes, in the order of the ids."""
    rows = query(client, f"{_SELECT} WHERE dead_letter_id IN %(ids)s", {"ids": tuple(ids)})
    found = {row["id"]: DeadLetter(**row) for row in rows}
    return [found[letter_id] for letter_id in ids]


def find(client: Any, letter_id: UUID) -> DeadLetter:
    """One dead letter.

    Raises:
        Invalid: there is none with this id.
    """
    rows = query(client, f"{_SELECT} WHERE dead_letter_id = %(id)s", {"id": letter_id})
    if not rows:
        raise _unknown(letter_id)
    return DeadLetter(**rows[0])


def at(client: Any, topic: str, partition: int, offset: int) -> list[DeadLetter]:
    """The dead letters of one record."""
    place = "topic = %(topic)s AND partition = %(partition)s AND offset = %(offset)s"
    values = {"topic": topic, "partition": partition, "offset": offset}
    return [DeadLetter(**row) for row in query(client, f"{_SELECT} WHERE {place}", values)]


def related(client: Any, letter: DeadLetter) -> list[Related]:
    """Other dead letters with the same bytes or the same event's id, the newest first.

    What is refused again after a replay has another place, and so is another dead letter.
    """
    digest = "" if letter.value is None else sha256(letter.value.encode()).hexdigest().upper()
    values = {"id": letter.id, "hash": digest, "event_id": event_id(letter.value_bytes())}
    rows = query(client, _RELATED, values)
    return [Related(row["id"], "bytes" if row["same_bytes"] else "event") for row in rows]


def _unknown(*ids: UUID) -> Invalid:
    named = ", ".join(sorted(map(str, ids)))
    return Invalid(f"no dead letter has the id {named}", remedy="`audit dead-letters list --all` shows them")
