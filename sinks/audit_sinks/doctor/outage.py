"""How long everything may stand still before something runs out, and what runs out first.

What can: Kafka deletes records by age, and forgets the offsets of a group without members.

What cannot: the tokens by which ClickHouse knows a block that is inserted again are counted, not timed,
on a single server, and only inserts push them out: in an outage none do. Replicated tables forget them by
age as well (`replicated_deduplication_window_seconds`): a block that was in hand when everything stopped
is then inserted twice, and its rows are one again when they are read or merged. No record is lost by it;
`deduplication` warns of it.

What cannot be seen from here: how much a service's own queue holds while Kafka is away.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from audit_sinks.doctor.facts import KafkaFacts


class Limit(NamedTuple):
    """Something that runs out."""

    what: str
    """A noun in the singular: what it is, and of which topic or group."""
    left: timedelta
    """From now; negative where it ran out already."""
    remedy: str


def shortest(kafka: KafkaFacts, now: datetime) -> Limit | None:
    """What runs out first if nothing moves from now on; nothing where nothing does."""
    return min(limits(kafka, now), key=lambda limit: limit.left, default=None)


def limits(kafka: KafkaFacts, now: datetime) -> Iterator[Limit]:
    """All that runs out, and when at the earliest: Kafka deletes whole segments, and looks now and then."""
    yield from _records(kafka, now)
    yield from _offsets(kafka, now)


def _records(kafka: KafkaFacts, now: datetime) -> Iterator[Limit]:
    """By topic: what its oldest record that waits has left; the whole retention where none waits."""
    for topic in sorted({position.topic for position in kafka.positions}):
        if (kept := kafka.topics[topic].retention) is not None:
            waits = [at.waits_since for at in kafka.positions if at.topic == topic and at.waits_since]
            yield Limit(
                f"Kafka's retention of {topic}", kept - (now - min(waits, default=now)), _hurry(topic)
            )


def _offsets(kafka: KafkaFacts, now: datetime) -> Iterator[Limit]:
    """By group: the whole time while it has members, else what is left since it was last seen to work.

    Without its offsets it begins at the first record that Kafka has: nothing is lost by that alone, but
    weeks of records are done again, and whether any are missing nobody is told. A group of whose work
    nothing is left would begin there anyway.
    """
    kept = min(
        (timedelta(minutes=int(config["offsets.retention.minutes"])) for config in kafka.brokers.values()),
        default=None,
    )
    for group, facts in kafka.groups.items():
        since = now if facts.members else facts.worked_at
        if kept is not None and since is not None:
            yield Limit(
                f"Kafka's memory of the offsets of {group}",
                kept - (now - since),
                f"start a worker of {group}",
            )


def _hurry(topic: str) -> str:
    return (
        f"see by `audit status` which worker is away and start it, or win time: kafka-configs --alter "
        f"--topic {topic} --add-config retention.ms=-1 (`audit topics apply` sets it back)"
    )
