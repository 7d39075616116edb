"""From when on Kafka still has everything: rows from before can only come from the table.

What was appended to audit.events was received before, by the same brokers' clocks. So a row that was
received after Kafka's first retained record was appended lies behind that record, and is still there.
Of rows around that moment those that are not read again are kept.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from audit_sinks.batches import Place
from audit_sinks.rebuilding.reader import Positions, Reader

_MARGIN = timedelta(hours=1)
"""How far the clocks of two brokers may be apart."""
_FAR = datetime(2200, 1, 1, tzinfo=UTC)


def horizon(reader: Reader, topic: str, lows: Positions) -> datetime:
    """The time from which on Kafka has all that a topic was given. Asks Kafka for each partition.

    Args:
        reader: of the topic.
        topic: which.
        lows: by partition, also of other topics, the first offset.

    Raises:
        Unreachable, Misconfigured: Kafka cannot be asked.
        Incomplete: a record left Kafka meanwhile.
    """
    own = {place: low for place, low in lows.items() if place.topic == topic}
    return complete_from(own, {place: reader.appended_at(place, low) for place, low in own.items()})


def complete_from(lows: Mapping[Place, int], first: Mapping[Place, datetime | None]) -> datetime:
    """The same on values.

    A partition that still begins at its offset 0 is whole, but what an earlier topic of that name had
    is not in it: that was received before the first of its records was appended.

    Args:
        lows: by partition, its first offset.
        first: by partition, when its first record was appended; nothing where it is empty.

    Returns:
        Far away where Kafka has nothing at all.
    """
    trimmed = [moment or _FAR for place, moment in first.items() if lows[place]]
    whole = [moment for place, moment in first.items() if moment is not None and not lows[place]]
    if trimmed:
        latest = max(trimmed)
        return latest if latest == _FAR else latest + _MARGIN
    return min(whole, default=_FAR)
