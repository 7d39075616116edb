"""When an event happened, as far as its producer can be believed."""

from datetime import UTC, datetime

from audit_schemas.accepted_times import EARLIEST, TOLERANCE
from audit_schemas.event import Recorded


def believed_time(
    occurred_at: datetime, received_at: datetime, recorded: Recorded
) -> tuple[datetime, str | None]:
    """Decide when an event happened.

    A wild clock would put rows into partitions far away and hide them from every page.

    Args:
        occurred_at: what the producer says.
        received_at: when the broker appended the record, UTC.
        recorded: live, or backfill for history.

    Returns:
        The time in UTC, and the producer's own text where `received_at` took its place.
    """
    # Compared before it is converted: the first and the last day of the calendar overflow.
    if EARLIEST[recorded] <= occurred_at <= received_at + TOLERANCE:
        return occurred_at if occurred_at.tzinfo is UTC else occurred_at.astimezone(UTC), None
    return received_at, occurred_at.isoformat()
