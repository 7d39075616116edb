"""How fast history may go: as fast as live events do not wait for it.

What stands before the processor and before the sink is looked at several times a second. Both commit now and
then, so what is behind rises and falls with that rhythm even where nobody waits; only what stands in a
partition all the time, from one commit to the next, is a queue. So TCP's queues are judged (RFC 8289, CoDel).
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

SLICE_SECONDS = 0.25
"""As long a part goes at once."""
INTERVAL = 1.5
"""Seconds of looks that are judged, and more where a commit takes longer."""
LEAST_SPAN = 1.0
TARGET = 0.5
"""Seconds for which a live event may stand behind history."""
START = 1000.0
LEAST = 50.0
"""Records a second."""
_MOVES = 2
"""Of a reader, before it is judged what stands before it: one shows no rhythm."""
_FASTER, _SLOWER = 1.02, 0.6


@dataclass(frozen=True, slots=True)
class Place:
    """A partition, and the group that reads it."""

    behind: int
    """Records that the group has not taken yet."""
    taken: int
    """The offset before which it has."""


Stage = tuple[Place, ...]
"""The partitions of one topic."""


@dataclass(frozen=True, slots=True)
class Look:
    """All stages at one time."""

    at: float
    """Seconds of a monotonic clock."""
    stages: tuple[Stage, ...]


def delay_of(looks: Sequence[Look]) -> float | None:
    """For how many seconds a record stands in the queues of all stages; nothing where none can tell yet."""
    elapsed = looks[-1].at - looks[0].at
    delays = [_delay(stages, elapsed) for stages in zip(*(look.stages for look in looks), strict=True)]
    return None if None in delays else sum(delay or 0.0 for delay in delays)


def _delay(stages: Sequence[Stage], elapsed: float) -> float | None:
    standing = taken = 0
    for places in zip(*stages, strict=True):
        taken += places[-1].taken - places[0].taken
        least = min(place.behind for place in places)
        if least and len({place.taken for place in places}) <= _MOVES:
            return None
        standing += least
    return standing * elapsed / taken if standing else 0.0


def stands_still(looks: Sequence[Look]) -> bool:
    """Whether something stands before a reader who has not moved for an interval."""
    recent = [look for look in looks if looks[-1].at - look.at <= INTERVAL]
    if len(recent) == len(looks) and looks[-1].at - looks[0].at < INTERVAL:
        return False
    return any(
        min(place.behind for place in places) > 0 and places[0].taken == places[-1].taken
        for stages in zip(*(look.stages for look in recent), strict=True)
        for places in zip(*stages, strict=True)
    )


class Throttle:
    """The rate of an import, from looks.

    Args:
        limit: records a second that it never exceeds.
    """

    def __init__(self, limit: float = math.inf) -> None:
        self.rate = min(START, limit)
        """Records a second."""
        self.is_held = False
        """Whether nothing goes for now: what stands there does not move."""
        self._limit = limit
        self._looks: deque[Look] = deque()

    def see(self, look: Look) -> None:
        """Take a look into account: a little faster each time, much slower once a queue stands."""
        self._looks.append(look)
        self.is_held = stands_still(self._looks)
        if look.at - self._looks[0].at < LEAST_SPAN:
            return
        delay = delay_of(self._looks)
        if delay is None:
            return
        if delay > TARGET:
            self.rate = max(min(LEAST, self._limit), self.rate * _SLOWER)
            self._looks.clear()  # what is seen next is due to the new rate
            return
        if delay < TARGET / 2 and not self.is_held:
            self.rate = min(self._limit, self.rate * _FASTER)
        while look.at - self._looks[0].at > INTERVAL:
            self._looks.popleft()
