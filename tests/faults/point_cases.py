"""kill -9 at each named point of the workers; a point that is added later has its case by itself."""

import signal
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from random import Random

from audit_schemas.kill_points import POINTS
from audit_schemas.topics import PROCESSOR_GROUP, SINK_GROUP, WINDOWS_GROUP

from .cases import case
from .groups import bury
from .rig import Rig
from .workers import PARTS, Worker

GROUPS = {"processor": PROCESSOR_GROUP, "windows": WINDOWS_GROUP, "sink": SINK_GROUP}
_EACH_RECORD = {"processor.decoded", "processor.sending"}
"""Reached so often that a death among the first few would always be at the beginning of a run."""
_SETTINGS = {"windows": {"AUDIT_WINDOWS_PART_RECORDS": "20"}}
"""Small parts, so that there are some in a window of two seconds."""


def part_of(point: str) -> str:
    """The kind of worker that a point belongs to."""
    return point.partition(".")[0]


def at_some_time(point: str, choose: Random) -> str:
    """A point with the number of times that it is reached before it happens."""
    return f"{point}@{choose.randint(1, 300 if point in _EACH_RECORD else 4)}"


def armed(rig: Rig, point: str, how: str = "") -> Worker:
    """Start a worker to which it will happen at a point, as in `sink.inserted@3`."""
    part = part_of(point)
    return rig.start(part, AUDIT_KILL_POINT=f"{how}{point}", **_SETTINGS.get(part, {}))


def die(rig: Rig, points: Iterable[str], *, buried: bool = False) -> None:
    """Let a worker die at each of these points, and start another one for the next point.

    Args:
        rig: what it acts on.
        points: of one kind of worker, with their numbers.
        buried: whether the dead leave their group at once; else it waits for their sessions.
    """
    for point in points:
        worker = armed(rig, point)
        assert worker.ended(90) == -signal.SIGKILL, f"{point} was not reached:\n{worker.said()[-3000:]}"
        if buried:
            bury(rig.stack.kafka, GROUPS[part_of(point)])


def killed_at(point: str) -> Callable[[Rig], None]:
    """Deaths at one point, one after the other, while events flow."""

    def disturb(rig: Rig) -> None:
        die(rig, [at_some_time(point, rig.choose) for _ in range(rig.times)])

    return disturb


for name, meaning in POINTS.items():
    case(f"killed at {name}: {meaning}", own=[part_of(name)])(killed_at(name))


@case("all workers are killed, once at each of their points", everyday=True, own=PARTS, times=1)
def _(rig: Rig) -> None:
    """The three kinds side by side, each in another order every time."""
    chains = []
    for part in PARTS:
        points = [at_some_time(point, rig.choose) for point in POINTS if part_of(point) == part]
        rig.choose.shuffle(points)
        chains.append(points)
    with ThreadPoolExecutor(len(chains)) as pool:
        for chain in [pool.submit(die, rig, points, buried=True) for points in chains]:
            chain.result()
