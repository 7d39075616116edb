"""Putting refused records back where they were refused, once the cause is mended.

The event's id lies in the bytes, so a record that is put back twice is still stored once. A letter is
marked only after Kafka has acknowledged its record, and the event that tells of it: whatever ends the
command, it can be run again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from audit_schemas.dead_letter import DeadLetter
from audit_sinks.dead_letters import handling, stored
from audit_sinks.dead_letters.events import Tell
from audit_sinks.dead_letters.handling import Handling
from audit_sinks.dead_letters.returns import Outcome, Returns, mend, obstacle
from audit_sinks.errors import Unreachable

_AT_ONCE = 25
"""Letters in memory; one has up to 8 MiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaying:
    """Who puts letters back, and how that is told."""

    by: str
    reason: str
    """Why; may be empty."""
    tell: Tell


def replay(
    client: Any, returns: Returns, ids: Sequence[UUID], how: Replaying, *, value: bytes | None = None
) -> Iterator[Outcome]:
    """Put dead letters back, a few at a time, and tell of and record those that Kafka has acknowledged.

    Args:
        client: of ClickHouse.
        returns: the way back.
        ids: the letters', in the order in which they are to be published.
        how: who does it.
        value: the mended bytes, for one letter.

    Raises:
        Unreachable: Kafka took none of the last few, or not what tells of them; what it took before is
            recorded.
    """
    for ready, refused in _sorted(client, ids, value):
        yield from refused
        outcomes = returns.put_back(ready)
        done = [outcome for outcome in outcomes if not outcome.problem]
        handlings = [_handling(outcome, how, mended=value is not None) for outcome in done]
        letters = {letter.id: letter for letter in ready}
        how.tell([(letters[handling.dead_letter_id], handling) for handling in handlings])
        handling.record(client, handlings)
        yield from outcomes
        if ready and not done:
            raise Unreachable(outcomes[0].problem, remedy="run it again then: what is done is recorded")


def look(client: Any, ids: Sequence[UUID], *, value: bytes | None = None) -> Iterator[Outcome]:
    """What `replay` would do; changes nothing."""
    for ready, refused in _sorted(client, ids, value):
        yield from refused
        yield from (Outcome(id=letter.id, topic=letter.topic) for letter in ready)


def _sorted(
    client: Any, ids: Sequence[UUID], value: bytes | None
) -> Iterator[tuple[list[DeadLetter], list[Outcome]]]:
    """A few letters at a time: those that can be put back, and why the others cannot."""
    for start in range(0, len(ids), _AT_ONCE):
        found = stored.letters(client, ids[start : start + _AT_ONCE])
        letters = found if value is None else [mend(letter, value) for letter in found]
        problems = {letter.id: obstacle(letter) for letter in letters}
        ready = [letter for letter in letters if not problems[letter.id]]
        yield (
            ready,
            [
                Outcome(id=letter.id, topic=letter.topic, problem=problems[letter.id])
                for letter in letters
                if problems[letter.id]
            ],
        )


def _handling(outcome: Outcome, how: Replaying, *, mended: bool) -> Handling:
    return Handling(
        dead_letter_id=outcome.id,
        action="replayed",
        handled_by=how.by,
        reason=how.reason,
        handled_at=datetime.now(UTC),
        partition=outcome.partition,
        offset=outcome.offset,
        mended=mended,
    )
