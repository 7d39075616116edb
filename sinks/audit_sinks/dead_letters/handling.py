"""What was done about dead letters: a letter of which nothing is recorded here is open."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from audit_sinks.clickhouse import explained, query

Action = Literal["replayed", "purged"]

_COLUMNS = "dead_letter_id, action, handled_by, reason, partition, offset, mended, handled_at"
_AT_ONCE = 1_000
"""Ids in one query: the server takes 256 KiB of SQL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """One thing that was done about one dead letter."""

    dead_letter_id: UUID
    action: Action
    handled_by: str
    reason: str
    handled_at: datetime
    partition: int | None = None
    """Where the replayed record lies now, in the letter's topic."""
    offset: int | None = None
    mended: bool = False
    """Whether other bytes were put back than were refused."""

    @property
    def sentence(self) -> str:
        """The same for a person."""
        where = "" if self.partition is None else f" to partition {self.partition}, offset {self.offset}"
        how = " with mended bytes" if self.mended else ""
        why = f": {self.reason}" if self.reason else ""
        return f"{self.action}{where}{how} by {self.handled_by} at {self.handled_at:%F %T} UTC{why}"


def record(client: Any, handlings: Sequence[Handling]) -> None:
    """Keep what was done; returns once it is stored.

    Raises:
        Unreachable, Misconfigured: as `explained` says.
    """
    if not handlings:
        return
    with explained():
        client.execute(
            f"INSERT INTO dead_letter_handling ({_COLUMNS}) VALUES",
            [asdict(handling) for handling in handlings],
            settings={"async_insert": 0},
        )


def of(client: Any, ids: Sequence[UUID]) -> dict[UUID, list[Handling]]:
    """What was done about these dead letters, the oldest first; nothing for one that is open."""
    found: dict[UUID, list[Handling]] = {}
    sql = (
        f"SELECT {_COLUMNS} FROM dead_letter_handling FINAL "  # noqa: S608 - fixed texts
        "WHERE dead_letter_id IN %(ids)s ORDER BY handled_at"
    )
    for start in range(0, len(ids), _AT_ONCE):
        for row in query(client, sql, {"ids": tuple(ids[start : start + _AT_ONCE])}):
            found.setdefault(row["dead_letter_id"], []).append(Handling(**row))
    return found
