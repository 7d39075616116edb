"""How fast history may go: as fast as live events hardly wait for it.

For how long records stand uncommitted before the processor and before the sink is looked at several times a
second. A trickle of history finds out how long that is when nobody hurries: the rhythm of linger, insert and
commit. Where it is longer there is a queue, or the servers are busy with history; then history slows down.
So TCP Vegas finds its rate.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

SLICE_SECONDS = 0.25
"""As long a part goes at once."""
INTERVAL = 1.5
"""Seconds whose longest wait counts: longer than the rhythm of the commits."""
TRICKLE_SECONDS = 4.0
MEMORY = 60.0
"""Seconds for which the shortest wait is remembered: servers may become slower for reasons of their own."""
SLACK = 0.5
"""Seconds by which a live event may wait longer because of history."""
START = 200.0
LEAST = 50.0
"""Records a second."""
_FASTER, _SLOWER = 1.03, 0.6
_HOLD = 4 * SLACK


@dataclass(frozen=True, slots=True)
class Place:
    """A partition, and the group that reads it."""

    end: int
    """Of the partition."""
    committed: int
    """The group's offset."""


Stage = tuple[Place, ...]
"""The partitions of one topic."""


@dataclass(frozen=True, slots=True)
class Look:
    """All stages at one time."""

    at: float
    """Seconds of a monotonic clock."""
    stages: tuple[Stage, ...]


def wait_of(looks: Sequence[Look]) -> float:
    """For how many seconds the oldest uncommitted record has stood there, all stages together."""
    return sum(_wait(stages, looks) for stages in zip(*(look.stages for look in looks), strict=True))


def _wait(stages: Sequence[Stage], looks: Sequence[Look]) -> float:
    committed = [place.committed for place in stages[-1]]
    for look, stage in zip(looks, stages, strict=True):
        if any(place.end > at for place, at in zip(stage, committed, strict=True)):
            return looks[-1].at - look.at
    return 0.0


class Throttle:
    """The rate of an import, from looks.

    Args:
        limit: records a second that it never exceeds.
    """

    def __init__(self, limit: float = math.inf) -> None:
        self.rate = min(START, limit)
        """Records a second."""
        self.is_held = False
        """Whether nothing goes for now."""
        self.wait = 0.0
        """The wait that was seen last, in seconds."""
        self._limit = limit
        self._looks: deque[Look] = deque()
        self._waits: deque[tuple[float, float]] = deque()
        self._longest: deque[tuple[float, float]] = deque()
        self._judge_from: float | None = None

    def see(self, look: Look) -> None:
        """Take a look into account: a little faster each time, much slower once records wait longer."""
        if self._judge_from is None:
            self._judge_from = look.at + TRICKLE_SECONDS
        self._looks.append(look)
        self.wait = wait_of(self._looks)
        while len(self._looks) > 1 and look.at - self._looks[0].at > max(INTERVAL, self.wait):
            self._looks.popleft()
        _remember(self._waits, look.at, self.wait, INTERVAL)
        _remember(self._longest, look.at, max(wait for _, wait in self._waits), MEMORY)
        usual = min((wait for at, wait in self._longest if at >= self._longest[0][0] + INTERVAL), default=0.0)
        self._judge(look.at, self._longest[-1][1] - usual)

    def _judge(self, now: float, longer: float) -> None:
        if self._judge_from is None or now < self._judge_from:
            self.is_held = self.wait > TRICKLE_SECONDS
            return
        self.is_held = longer > _HOLD
        if longer > SLACK:
            self.rate = max(min(LEAST, self._limit), self.rate * _SLOWER)
            self._judge_from = now + INTERVAL + min(self.wait, _HOLD)  # by then it is seen what that does
        elif longer < SLACK / 2:
            self.rate = min(self._limit, self.rate * _FASTER)


def _remember(series: deque[tuple[float, float]], at: float, value: float, seconds: float) -> None:
    series.append((at, value))
    while at - series[0][0] > seconds:
        series.popleft()
