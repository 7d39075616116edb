"""Which times of events are believed: one definition for who publishes history and for who enriches."""

from datetime import UTC, datetime, timedelta

EARLIEST = datetime(2019, 10, 1, tzinfo=UTC)
"""What claims to be earlier is stored at its append time; the tables' constraint is the same."""
TOLERANCE = timedelta(days=1)
"""How far ahead of the broker's clock a producer's may be."""
