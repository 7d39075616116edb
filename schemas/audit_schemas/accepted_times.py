"""Which times of events are believed: one definition for who publishes history and for who enriches."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from audit_schemas.event import Recorded

EARLIEST: Mapping[Recorded, datetime] = {
    "live": datetime(2019, 10, 1, tzinfo=UTC),
    "backfill": datetime(1990, 1, 1, tzinfo=UTC),
}
"""What claims to be earlier is stored at its append time; the tables' constraint is the same.

A live event of long ago is a wild clock. History goes back further, and stops short of the years in which
clocks begin that were never set (1970, 1980); so many years are also partitions that one insert may make.
"""
TOLERANCE = timedelta(days=1)
"""How far ahead of the broker's clock a producer's may be."""
