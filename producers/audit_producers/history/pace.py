"""How fast history may go: as fast as live events do not wait for it.

What stands before the processor and before the sink is looked at several times a second. Both commit now and
then, so what is behind rises and falls with that rhythm even where nobody waits; only what stands there all
the time, the least of the last seconds, is a queue. So TCP's queues are judged, too (RFC 8289, CoDel).
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

SLICE_SECONDS = 0.25
"""As long a part goes at once."""
INTERVAL = 1.5
"""Seconds of looks that are judged: longer than the rhythm of the commits."""
LEAST_SPAN = 1.0
TARGET = 0.25
"""Seconds for which a live event may stand behind history."""
START = 1000.0
LEAST = 50.0
"""Records a second."""
_FASTER, _SLOWER = 1.02, 0.6
"""Of 24 settings these let live events wait least, and used four fifths of what was free (simulated)."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A topic and the group that reads it."""

    behind: int
    """Records that the group has not taken yet."""
    taken: int
    """Offsets that it has passed in all."""


@dataclass(frozen=True, slots=True)
class Look:
    """Both stages at one time."""

    at: float
    """Seconds of a monotonic clock."""
    stages: tuple[Stage, ...]


def delay_of(looks: Sequence[Look]) -> float:
    """For how many seconds a record stands in the queues, by some looks; infinite where they stand."""
    elapsed = looks[-1].at - looks[0].at
    series = zip(*(look.stages for look in looks), strict=True)
    return sum(_delay(stage, elapsed) for stage in series)


def _delay(stage: Sequence[Stage], elapsed: float) -> float:
    standing = min(look.behind for look in stage)
    if standing == 0:
        return 0.0
    speed = (stage[-1].taken - stage[0].taken) / elapsed
    return standing / speed if speed > 0 else math.inf


class Throttle:
    """The rate of an import, from looks.

    Args:
        limit: records a second that it never exceeds.
    """

    def __init__(self, limit: float = math.inf) -> None:
        self.rate = min(START, limit)
        """Records a second."""
        self.is_held = False
        """Whether nothing goes at all: what stands there does not move."""
        self._limit = limit
        self._looks: deque[Look] = deque()

    def see(self, look: Look) -> None:
        """Take a look into account: a little faster each time, much slower once a queue stands."""
        self._looks.append(look)
        while look.at - self._looks[0].at > INTERVAL:
            self._looks.popleft()
        if look.at - self._looks[0].at < LEAST_SPAN:
            return
        delay = delay_of(self._looks)
        self.is_held = math.isinf(delay)
        if delay > TARGET:
            self.rate = max(min(LEAST, self._limit), self.rate * _SLOWER)
            self._looks.clear()  # what is seen next is due to the new rate
        elif delay < TARGET / 2:
            self.rate = min(self._limit, self.rate * _FASTER)
