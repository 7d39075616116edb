"""Whether a group has lost records already, and how long everything may stand still before one is lost."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from audit_schemas.topics import PROCESSOR_GROUP, SINK_GROUP, WINDOWS_GROUP
from audit_sinks.doctor.facts import Facts, Position
from audit_sinks.doctor.finding import Finding, duration

_SOON = timedelta(days=1)
_RESET = "kafka-consumer-groups --reset-offsets --execute --group"


def processor_offsets(facts: Facts) -> Finding:
    """Of the enriching workers."""
    return _offsets(facts, PROCESSOR_GROUP)


def windows_offsets(facts: Facts) -> Finding:
    """Of the workers that close windows."""
    return _offsets(facts, WINDOWS_GROUP)


def sink_offsets(facts: Facts) -> Finding:
    """Of the sinks."""
    return _offsets(facts, SINK_GROUP)


def safe_for(facts: Facts) -> Finding:
    """How long the pipeline may stand still; at least, since Kafka deletes whole segments."""
    check, limit = "outage", shortest(facts)
    if limit is None:
        return Finding.ok(check, "no topic that a group reads deletes by age")
    topic, left = limit
    if left <= timedelta(0):
        text = f"records of {topic} wait for longer than its retention: Kafka may delete them at any moment"
        return Finding.broken(check, text, _hurry(topic))
    text = f"safe for {duration(left)} ({topic}'s retention)"
    return Finding.warning(check, text, _hurry(topic)) if left < _SOON else Finding.ok(check, text)


def shortest(facts: Facts) -> tuple[str, timedelta] | None:
    """The topic that is the first to lose a record if nothing moves, and how soon."""
    return min(_limits(facts), key=lambda limit: limit[1], default=None)


def _hurry(topic: str) -> str:
    return (
        f"see by `audit status` which worker is away and start it, or win time: kafka-configs --alter "
        f"--topic {topic} --add-config retention.ms=-1 (`audit topics apply` sets it back)"
    )


def _limits(facts: Facts) -> Iterator[tuple[str, timedelta]]:
    """By topic: what its oldest record that waits has left; the whole retention where none waits."""
    for topic in sorted({position.topic for position in facts.kafka.positions}):
        if (kept := facts.kafka.topics[topic].retention) is not None:
            waits = [
                position.waits_since
                for position in facts.kafka.positions
                if position.topic == topic and position.waits_since
            ]
            yield topic, kept - (facts.now - min(waits, default=facts.now))


def _offsets(facts: Facts, group: str) -> Finding:
    positions = [position for position in facts.kafka.positions if position.group == group]
    if lost := sum(max(0, position.start - (position.committed or 0)) for position in positions):
        text = f"{lost} records left Kafka before they were done: {_places(_behind(positions))}"
        remedy = "find out what was lost, then go on with what is left"
        return Finding.broken(group, text, f"{remedy}: {_RESET} {group} --to-earliest for these topics")
    if beyond := [at for at in positions if at.committed is not None and at.committed > at.end]:
        text = f"the offset is beyond the end, so the topic was made anew: {_places(beyond)}"
        remedy = "stop the workers and begin at its first record"
        return Finding.broken(group, text, f"{remedy}: {_RESET} {group} --to-earliest for these topics")
    return Finding.ok(group, "everything that is not done is still in Kafka")


def _behind(positions: Iterable[Position]) -> list[Position]:
    return [position for position in positions if position.start > (position.committed or 0)]


def _places(positions: Iterable[Position]) -> str:
    """A group without an offset begins at the first record, so 0 is what it has done."""
    return ", ".join(
        f"{at.topic} [{at.partition}] at {at.committed or 0} of {at.start}-{at.end}" for at in positions
    )
