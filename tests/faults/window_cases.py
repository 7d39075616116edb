"""Windows under attack: what is done around their boundaries, and how to see that it has hit."""

from collections import Counter

from sinking import wait_until

from audit_deploy.programs import KAFKA
from audit_schemas.topics import CONTACT_BATCHES

from .cases import case
from .judge import Found
from .rig import Rig
from .workers import Worker

WORKERS = ("processor", "windows")


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


def _grown(rig: Rig, before: int) -> bool:
    """Whether more was written than a backfill or two."""
    return rig.judge.appended(CONTACT_BATCHES.name) > before + 20


def _seldom_committing(rig: Rig) -> Worker:
    return rig.processor(AUDIT_PROCESSOR_COMMIT_SECONDS="3")


def _ready(*workers: Worker) -> list[Worker]:
    return [worker.until_ready() for worker in workers]


@case(
    "the enriching worker is killed around a boundary",
    everyday=True,
    own=WORKERS,
    hit=repeated_across_a_boundary,
)
def _(rig: Rig) -> None:
    """Before, at and after a boundary, with so much uncommitted that the repeats fall behind it."""
    rig.windows()
    for _ in range(rig.times):
        processor = _seldom_committing(rig).until_ready()
        rig.near_boundary(-0.5, 0.5)
        processor.kill()
    _seldom_committing(rig).until_ready()


@case("the window worker is killed before the proof", own=WORKERS)
def _(rig: Rig) -> None:
    """While it has looked ahead and delivered nothing."""
    rig.processor()
    for _ in range(rig.times):
        windows = rig.windows().until_ready()
        rig.near_boundary(-1.0, 0.0)
        windows.kill()
    rig.windows().until_ready()


@case("the window worker is killed between two parts", own=WORKERS, hit=batched_again)
def _(rig: Rig) -> None:
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


@case("both workers are killed around a boundary", own=WORKERS, hit=repeated_across_a_boundary)
def _(rig: Rig) -> None:
    """Around a boundary."""
    for _ in range(rig.times):
        workers = [_seldom_committing(rig), rig.windows()]
        for worker in workers:
            worker.until_ready()
        rig.near_boundary(-0.5, 0.5)
        for worker in workers:
            worker.kill()
    _ready(_seldom_committing(rig), rig.windows())


@case("all workers are down over three boundaries", own=WORKERS, hit=late_by_two_windows)
def _(rig: Rig) -> None:
    """Each change must find its own window afterwards."""
    workers = _ready(rig.processor(), rig.windows())
    rig.near_boundary(-0.5, 0.5)
    for worker in workers:
        worker.kill()
    for _ in range(3):
        rig.near_boundary(0.0, 0.1)
    _ready(rig.processor(), rig.windows())


@case("workers join and leave in mid-window", own=WORKERS)
def _(rig: Rig) -> None:
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


@case("the broker is killed around a boundary", own=WORKERS)
def _(rig: Rig) -> None:
    """At a boundary; it is started again at once, and the workers wait for it."""
    _ready(rig.processor(), rig.windows())
    for _ in range(rig.times):
        rig.near_boundary(-0.5, 0.5)
        rig.kill(KAFKA)
        rig.until_back(KAFKA)
        rig.near_boundary(0.0, 0.5)
