"""When an event happened, as far as its producer can be believed."""

from datetime import UTC, datetime, timedelta

EARLIEST = datetime(2019, 10, 1, tzinfo=UTC)
TOLERANCE = timedelta(days=1)
"""How far ahead of the broker's clock a producer's may be."""


def believed_time(occurred_at: datetime, received_at: datetime) -> tuple[datetime, str | None]:
    """Decide when an event happened.

    A wild clock would put rows into partitions far away and hide them from every page.

    Args:
        occurred_at: what the producer says.
        received_at: when the broker appended the record, UTC.

    Returns:
        The time in UTC, and the producer's own text where `received_at` took its place.
    """
    # Compared before it is converted: the first and the last day of the calendar overflow.
    if EARLIEST <= occurred_at <= received_at + TOLERANCE:
        return occurred_at if occurred_at.tzinfo is UTC else occurred_at.astimezone(UTC), None
    return received_at, occurred_at.isoformat()
