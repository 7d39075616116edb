"""What is done to the workers while contact changes flow, and how to see that it has hit."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from sinking import wait_until

from audit_deploy.programs import KAFKA
from audit_schemas.topics import CONTACT_BATCHES

from .judge import Found
from .rig import Disturb, Rig
from .workers import Worker


@dataclass(frozen=True)
class Attack:
    """One way to disturb."""

    disturb: Disturb
    hit: Callable[[Found, int], bool] = lambda _found, _length: True
    """Whether what it is for has happened, by the windows' length: an attack that missed proves nothing."""


def repeated_across_a_boundary(found: Found, length: int) -> bool:
    """Whether a change was enriched again when its window was over."""
    return any(len({ms // 1000 // length for ms in copies}) > 1 for copies in found.copies.values())


def batched_again(found: Found, _length: int) -> bool:
    """Whether a change was batched more often than it was enriched."""
    times = Counter(source for batch in found.batches for _, source in batch.events)
    return any(times[source] > len(copies) for source, copies in found.copies.items())


def late_by_two_windows(found: Found, length: int) -> bool:
    """Whether a window was batched when two more were over."""
    return any(
        batch.span and batch.appended_ms > (batch.span.end + 2 * length) * 1000 for batch in found.batches
    )


def enriching_killed(rig: Rig) -> None:
    """Before, at and after a boundary, with so much uncommitted that the repeats fall behind it."""
    rig.windows()
    for _ in range(rig.times):
        processor = _seldom_committing(rig).until_ready()
        rig.near_boundary(-0.5, 0.5)
        processor.kill()
    _seldom_committing(rig).until_ready()


def windows_killed_before_the_proof(rig: Rig) -> None:
    """While it has looked ahead and delivered nothing."""
    rig.processor()
    for _ in range(rig.times):
        windows = rig.windows().until_ready()
        rig.near_boundary(-1.0, 0.0)
        windows.kill()
    rig.windows().until_ready()


def windows_killed_between_parts(rig: Rig) -> None:
    """When some of a window's batches are written, and not all; what is written was not yet committed."""
    rig.processor()
    for _ in range(rig.times):
        windows = rig.windows(
            AUDIT_WINDOWS_PART_RECORDS="20", AUDIT_PROCESSOR_COMMIT_SECONDS="3"
        ).until_ready()
        rig.near_boundary(-0.2, -0.1)
        before = rig.judge.appended(CONTACT_BATCHES.name)
        wait_until(lambda: _grown(rig, before), seconds=30, about="batches of the window")  # noqa: B023
        windows.kill()
    rig.windows().until_ready()


def _grown(rig: Rig, before: int) -> bool:
    """Whether more was written than a backfill or two."""
    return rig.judge.appended(CONTACT_BATCHES.name) > before + 20


def both_killed(rig: Rig) -> None:
    """Around a boundary."""
    for _ in range(rig.times):
        workers = [_seldom_committing(rig), rig.windows()]
        for worker in workers:
            worker.until_ready()
        rig.near_boundary(-0.5, 0.5)
        for worker in workers:
            worker.kill()
    _ready(_seldom_committing(rig), rig.windows())


def all_down_over_three_boundaries(rig: Rig) -> None:
    """Each change must find its own window afterwards."""
    workers = _ready(rig.processor(), rig.windows())
    rig.near_boundary(-0.5, 0.5)
    for worker in workers:
        worker.kill()
    for _ in range(3):
        rig.near_boundary(0.0, 0.1)
    _ready(rig.processor(), rig.windows())


def workers_join_and_leave(rig: Rig) -> None:
    """In the middle of windows, in order and by kills, so that partitions change hands again and again."""
    present = _ready(rig.processor(), rig.windows())
    for _ in range(rig.times):
        present += _ready(rig.processor(), rig.windows())
        rig.near_boundary(-2.0, 0.5)
        for worker in present[:2]:
            worker.stop()
        rig.near_boundary(-2.0, 0.5)
        present = present[2:] + _ready(rig.processor(), rig.windows())
        rig.near_boundary(-0.5, 0.5)
        present.pop(rig.choose.randrange(2)).kill()
        present += _ready(rig.processor(), rig.windows())
        for worker in present[:-2]:
            worker.stop()
        present = present[-2:]


def broker_killed(rig: Rig) -> None:
    """At a boundary; it is started again at once, and the workers wait for it."""
    _ready(rig.processor(), rig.windows())
    for _ in range(rig.times):
        rig.near_boundary(-0.5, 0.5)
        rig.stack.kill(KAFKA)
        rig.stack.wait_ready(KAFKA)
        wait_until(rig.judge.answers, seconds=30, about="Kafka leading its partitions")
        rig.near_boundary(0.0, 0.5)


def _seldom_committing(rig: Rig) -> Worker:
    return rig.processor(AUDIT_PROCESSOR_COMMIT_SECONDS="3")


def _ready(*workers: Worker) -> list[Worker]:
    return [worker.until_ready() for worker in workers]


ATTACKS = {
    "the enriching worker is killed around a boundary": Attack(enriching_killed, repeated_across_a_boundary),
    "the window worker is killed before the proof": Attack(windows_killed_before_the_proof),
    "the window worker is killed between two parts": Attack(windows_killed_between_parts, batched_again),
    "both workers are killed around a boundary": Attack(both_killed, repeated_across_a_boundary),
    "all workers are down over three boundaries": Attack(all_down_over_three_boundaries, late_by_two_windows),
    "workers join and leave in mid-window": Attack(workers_join_and_leave),
    "the broker is killed around a boundary": Attack(broker_killed),
}
EVERYDAY = (
    "the enriching worker is killed around a boundary",
    "the window worker is killed between two parts",
    "all workers are down over three boundaries",
)
"""Those whose faults would be the worst; the long form takes all."""
