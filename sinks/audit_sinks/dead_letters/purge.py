"""Giving dead letters up: told to the log first, then marked; nothing is deleted."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from audit_sinks.dead_letters import handling, stored
from audit_sinks.dead_letters.events import Tell
from audit_sinks.dead_letters.handling import Handling

_AT_ONCE = 25
"""Letters in memory; one has up to 8 MiB."""


def purge(client: Any, ids: Sequence[UUID], *, by: str, reason: str, tell: Tell) -> Iterator[UUID]:
    """Give dead letters up, a few at a time.

    Whoever repeats himself, with the same reason, changes and tells nothing.

    Args:
        client: of ClickHouse.
        ids: the letters'.
        by: who does it.
        reason: why; not empty.
        tell: publishes what is done, before it is recorded.

    Returns:
        Each letter that is given up by now.

    Raises:
        Unreachable, Misconfigured: Kafka or ClickHouse did not take it; what was done before is recorded.
    """
    for start in range(0, len(ids), _AT_ONCE):
        chosen = ids[start : start + _AT_ONCE]
        known = handling.of(client, chosen)
        open_ones = [letter for letter in chosen if not _given_up(known.get(letter, ()), by, reason)]
        now = datetime.now(UTC)
        done = [
            Handling(dead_letter_id=letter, action="purged", handled_by=by, reason=reason, handled_at=now)
            for letter in open_ones
        ]
        tell(list(zip(stored.letters(client, open_ones), done, strict=True)) if done else [])
        handling.record(client, done)
        yield from chosen


def _given_up(handlings: Sequence[Handling], by: str, reason: str) -> bool:
    """Whether the last thing that was done is this very one."""
    last = handlings[-1] if handlings else None
    return last is not None and (last.action, last.handled_by, last.reason) == ("purged", by, reason)
