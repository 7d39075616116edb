"""How far each group is behind, stage by stage."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit_schemas.topics import WINDOWS_GROUP
from audit_sinks.doctor.positions import READS, Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """What waits for a group in one topic, over all its partitions."""

    group: str
    topic: str
    records: int
    waits_since: datetime | None = None
    """Append time of the first of them; nothing where none waits, or none of them could be read."""

    def age(self, now: datetime) -> timedelta:
        """How long the first of them has waited."""
        return max(now - self.waits_since, timedelta(0)) if self.waits_since else timedelta(0)


def watched(positions: Iterable[Position]) -> list[Position]:
    """All but the windows' group: it commits when a window is over, and `sync` says how far it is."""
    return [at for at in positions if at.group != WINDOWS_GROUP]


def lags(positions: Iterable[Position]) -> list[Lag]:
    """One for each topic that a watched group reads, in the order of an event's way."""
    found = watched(positions)
    stages = [(group, topic) for group, topics in READS.items() for topic in topics]
    return [
        Lag(
            group=group,
            topic=topic,
            records=sum(at.records for at in of_stage),
            waits_since=min((at.waits_since for at in of_stage if at.waits_since), default=None),
        )
        for group, topic in stages
        if (of_stage := [at for at in found if (at.group, at.topic) == (group, topic)])
    ]
