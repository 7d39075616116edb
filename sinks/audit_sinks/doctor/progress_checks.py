"""Whether a group has lost records already, and how long everything may stand still before one is lost."""

from collections.abc import Iterable
from datetime import timedelta

from audit_schemas.topics import PROCESSOR_GROUP, SINK_GROUP, WINDOWS_GROUP
from audit_sinks.doctor.facts import Facts
from audit_sinks.doctor.finding import Finding, duration
from audit_sinks.doctor.outage import shortest
from audit_sinks.doctor.positions import Position

_SOON = timedelta(days=1)
_MANY = 1_000
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


def refusals(facts: Facts) -> Finding:
    """One bad record after the other is hardly the records' fault; at its limit a worker stops."""
    check = "refusals"
    many = [at for at in facts.kafka.positions if at.note and at.note.refused >= _MANY]
    if not many:
        return Finding.ok(check, f"no partition has {_MANY:,} refused records in a row")
    text = ", ".join(f"{at.note.refused:,} in a row in {at.topic} [{at.partition}]" for at in many if at.note)
    remedy = "see by `audit dead-letters list` what is wrong with them, and stop who writes them"
    return Finding.warning(check, f"records are refused: {text}", remedy)


def safe_for(facts: Facts) -> Finding:
    """How long the pipeline may stand still; at least, since Kafka deletes whole segments."""
    check, limit = "outage", shortest(facts.kafka, facts.now)
    if limit is None:
        return Finding.ok(check, "nothing that a group needs is forgotten by age")
    if limit.left <= timedelta(0):
        text = f"{limit.what} is over: Kafka may forget what waits at any moment"
        return Finding.broken(check, text, limit.remedy)
    text = f"safe for {duration(limit.left)} ({limit.what})"
    return Finding.warning(check, text, limit.remedy) if limit.left < _SOON else Finding.ok(check, text)


def _offsets(facts: Facts, group: str) -> Finding:
    positions = [position for position in facts.kafka.positions if position.group == group]
    if foreign := [at for at in positions if _is_foreign(at, facts)]:
        text = f"the offset is of another topic: this one was made anew, or is a mirror: {_places(foreign)}"
        return Finding.broken(
            group,
            text,
            f"stop the workers and begin at its first record, which doubles nothing: {_RESET} {group} "
            "--to-earliest for these topics; or keep the offsets of a mirror: --to-current",
        )
    if lost := sum(max(0, position.start - (position.committed or 0)) for position in positions):
        text = f"{lost} records left Kafka before they were done: {_places(_behind(positions))}"
        remedy = "find out what was lost, then go on with what is left"
        return Finding.broken(group, text, f"{remedy}: {_RESET} {group} --to-earliest for these topics")
    if beyond := [at for at in positions if at.committed is not None and at.committed > at.end]:
        text = f"the offset is beyond the end, so the topic was made anew: {_places(beyond)}"
        remedy = "stop the workers and begin at its first record"
        return Finding.broken(group, text, f"{remedy}: {_RESET} {group} --to-earliest for these topics")
    return Finding.ok(group, "everything that is not done is still in Kafka")


def _is_foreign(at: Position, facts: Facts) -> bool:
    """Whether a worker wrote the offset while it read another topic; it stops at such a one."""
    return at.note is not None and at.note.topic != facts.kafka.topics[at.topic].id


def _behind(positions: Iterable[Position]) -> list[Position]:
    return [position for position in positions if position.start > (position.committed or 0)]


def _places(positions: Iterable[Position]) -> str:
    """A group without an offset begins at the first record, so 0 is what it has done."""
    return ", ".join(
        f"{at.topic} [{at.partition}] at {at.committed or 0} of {at.start}-{at.end}" for at in positions
    )
