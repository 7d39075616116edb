"""What `audit trace` says of a contact's activity."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from audit_schemas.grace import GRACE
from audit_sinks.tracing.trace import activity_stage

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ROW = {
    "window_start": NOON - 3 * HOUR,
    "window_end": NOON,
    "synced_at": NOON + timedelta(seconds=1),
    "contact_batch_id": UUID(int=1),
}


@pytest.mark.parametrize(
    ("due_at", "rows", "now", "missing", "said"),
    [
        (NOON, [], NOON - HOUR, False, "pending until 12:00 UTC"),
        (NOON, [], NOON + GRACE / 2, False, "pending until 12:00 UTC"),
        (NOON, [], NOON + GRACE, True, "overdue since 12:00 UTC"),
        (None, [], NOON, True, "imported, and the sink has not stored it"),
        (
            NOON,
            [ROW],
            NOON + HOUR,
            False,
            "in the window from 2026-03-02 09:00:00 to 2026-03-02 12:00:00 UTC",
        ),
        (None, [{**ROW, "window_start": None, "window_end": None}], NOON, False, "imported, synced at"),
        (NOON, [ROW, ROW], NOON + HOUR, True, "visible 2 times"),
    ],
    ids=["pending", "being synced", "overdue", "missing history", "synced", "synced history", "twice"],
)
def test_a_change_is_missing_only_once_it_is_due(
    due_at: datetime | None, rows: list[dict[str, Any]], now: datetime, missing: bool, said: str
) -> None:
    stage = activity_stage(due_at, rows, now)
    assert (stage.missing, said in stage.about) == (missing, True), stage.about
    assert stage.visible or not stage.missing


def test_a_synced_change_names_its_batch() -> None:
    assert str(UUID(int=1)) in activity_stage(NOON, [ROW], NOON).about
