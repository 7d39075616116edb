"""From when on Kafka still has everything: rows from before can only come from the table.

What was appended to audit.events was received before, by the same brokers' clocks. So a row that was
received after Kafka's first retained record was appended lies behind that record, and is still there.
Of rows around that moment those that are not read again are kept.
"""

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta

from audit_sinks.batches import Place
from audit_sinks.doctor.append_times import AppendTimes
from audit_sinks.doctor.positions import Partition

_MARGIN = timedelta(hours=1)
"""How far the clocks of two brokers may be apart."""
_FAR = datetime(2200, 1, 1, tzinfo=UTC)


def horizon(kafka: str, topic: str, lows: Mapping[Place, int]) -> datetime:
    """The time from which on Kafka has all that a topic was given. Asks Kafka for a record of each partition.

    Args:
        kafka: bootstrap servers.
        topic: which.
        lows: by partition, also of other topics, the first offset.

    Raises:
        Unreachable, Misconfigured: Kafka cannot be asked.
    """
    own: dict[Partition, int] = {place: low for place, low in lows.items() if place.topic == topic}
    with closing(AppendTimes(kafka)) as times:
        return complete_from(own, times.of(own))


def complete_from(lows: Mapping[Partition, int], first: Mapping[Partition, datetime]) -> datetime:
    """The same on values.

    A partition that still begins at its offset 0 is whole, but what an earlier topic of that name had
    is not in it: that was received before the first of its records was appended.

    Args:
        lows: by partition, its first offset.
        first: by partition, when its first record was appended; those that are empty are left out.

    Returns:
        Far away where Kafka has nothing at all.
    """
    trimmed = [first.get(place, _FAR) for place, low in lows.items() if low]
    if trimmed:
        latest = max(trimmed)
        return latest if latest == _FAR else latest + _MARGIN
    return min(first.values(), default=_FAR)
