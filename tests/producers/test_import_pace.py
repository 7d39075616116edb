"""The rate of an import against a simulated processor and sink: what is free is used, and no queue stands."""

import math

import pytest

from audit_producers.history.pace import SLICE_SECONDS, START, TARGET, Look, Stage, Throttle, delay_of


class Reader:
    """A group that reads so many records a second, and commits now and then.

    Args:
        speed: records a second.
        rhythm: seconds between two commits.
    """

    def __init__(self, speed: float, rhythm: float) -> None:
        self.speed = speed
        self._rhythm = rhythm
        self._written = self._read = self._committed = 0.0
        self._next_commit = rhythm

    def go_on(self, until: float, written: float) -> float:
        """Returns how many records it has passed on."""
        self._written += written
        passed = min(self.speed * SLICE_SECONDS, self._written - self._read)
        self._read += passed
        if until >= self._next_commit:
            self._committed, self._next_commit = self._read, until + self._rhythm
        return passed

    @property
    def waiting(self) -> float:
        """Records that it has not read."""
        return self._written - self._read

    @property
    def stage(self) -> Stage:
        """What a look sees."""
        return Stage(int(self._written - self._committed), int(self._committed))


def run(
    throttle: Throttle, readers: list[Reader], *, slices: int, live: float, start: int = 0
) -> list[tuple[float, float]]:
    """The rate and the longest wait in seconds, slice by slice."""
    seen = []
    for number in range(start, start + slices):
        at = (number + 1) * SLICE_SECONDS
        offered = (live + (0 if throttle.is_held else throttle.rate)) * SLICE_SECONDS
        for reader in readers:
            offered = reader.go_on(at, offered)
        throttle.see(Look(at, tuple(reader.stage for reader in readers)))
        seen.append((throttle.rate, sum(reader.waiting / max(reader.speed, 1) for reader in readers)))
    return seen


@pytest.mark.parametrize("rhythm", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("speeds", [(10_000, 3_000), (3_000, 10_000), (900, 900)])
def test_history_uses_what_is_free_and_live_events_hardly_wait(rhythm: float, speeds: tuple[int, int]):
    throttle = Throttle()
    seen = run(throttle, [Reader(speed, rhythm) for speed in speeds], slices=800, live=200)
    settled = seen[200:]

    free = min(speeds) - 200
    assert sum(rate for rate, _ in settled) / len(settled) > 0.6 * free
    assert max(wait for _, wait in settled) < 1
    assert sum(wait for _, wait in settled) / len(settled) < TARGET


def test_it_never_exceeds_its_limit():
    seen = run(Throttle(1000), [Reader(50_000, 0.5), Reader(50_000, 0.5)], slices=200, live=0)

    assert max(rate for rate, _ in seen) == 1000
    assert Throttle(10).rate == 10


def test_it_waits_for_who_stands_still_and_goes_on_with_him():
    reader = Reader(5000, 0.5)
    throttle = Throttle()
    run(throttle, [reader], slices=100, live=0)
    reader.speed = 0
    run(throttle, [reader], slices=20, live=10, start=100)
    assert throttle.is_held

    reader.speed = 5000
    run(throttle, [reader], slices=40, live=10, start=120)
    assert not throttle.is_held
    assert throttle.rate > 0


def test_commits_now_and_then_are_no_queue():
    looks = [Look(at, (Stage(behind, 1000 * at),)) for at, behind in enumerate([0, 900, 400, 0])]
    standing = [Look(at, (Stage(behind, 1000 * at),)) for at, behind in enumerate([700, 900, 500, 800])]

    assert delay_of(looks) == 0
    assert delay_of(standing) == 0.5
    assert delay_of([Look(0, (Stage(1, 5),)), Look(1, (Stage(1, 5),))]) == math.inf


def test_it_begins_gently():
    assert Throttle().rate == START
