"""How `audit status` tells of the windows."""

from datetime import UTC, datetime, timedelta

import pytest

from audit_sinks.sync import Sync, sentence

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NEXT = NOON + timedelta(hours=3)


@pytest.mark.parametrize(
    ("sync", "said"),
    [
        (Sync(), "no contact was changed in the last seven days"),
        (Sync(next_sync_at=NEXT), "next sync 15:00 UTC, 0 changes pending, nothing overdue"),
        (Sync(next_sync_at=NEXT, pending=1), "next sync 15:00 UTC, 1 change pending, nothing overdue"),
        (
            Sync(next_sync_at=NOON + timedelta(seconds=10), pending=312),
            "next sync 12:00:10 UTC, 312 changes pending, nothing overdue",
        ),
        (
            Sync(next_sync_at=NOON + timedelta(hours=12), pending=2),
            "next sync 2026-03-03 00:00 UTC, 2 changes pending, nothing overdue",
        ),
    ],
)
def test_what_is_pending_is_said_in_one_sentence(sync: Sync, said: str) -> None:
    assert sentence(sync, NOON) == said


def test_what_is_overdue_is_said_with_what_to_look_at() -> None:
    said = sentence(Sync(next_sync_at=NEXT, pending=319, overdue=7, complete_until=NOON), NOON)
    assert said.startswith(
        "next sync 15:00 UTC, 319 changes pending, 7 of them overdue: complete until 12:00 UTC"
    )
    assert "`audit windows run`" in said
