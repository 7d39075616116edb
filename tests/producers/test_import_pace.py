"""The rate of an import against a simulated processor and sink: what is free is used, and no queue stands."""

import pytest

from audit_producers.history.pace import SLACK, SLICE_SECONDS, START, Look, Place, Throttle, wait_of


class Reader:
    """A group that reads so many records a second from two partitions, and commits now and then.

    Args:
        speed: records a second.
        rhythm: seconds between two commits of a partition; they take turns.
    """

    def __init__(self, speed: float, rhythm: float) -> None:
        self.speed = speed
        self._rhythm = rhythm
        self._written = self._read = 0.0
        self._committed = [0.0, 0.0]
        self._next_commit = [rhythm, rhythm * 1.5]

    def go_on(self, until: float, written: float) -> float:
        """Returns how many records it has passed on."""
        self._written += written
        passed = min(self.speed * SLICE_SECONDS, self._written - self._read)
        self._read += passed
        for number in (0, 1):
            if until >= self._next_commit[number] and self.speed:
                self._committed[number] = self._read / 2
                self._next_commit[number] = until + self._rhythm
        return passed

    @property
    def waiting(self) -> float:
        """Records that it has not read."""
        return self._written - self._read

    @property
    def stage(self) -> tuple[Place, ...]:
        """What a look sees."""
        return tuple(Place(int(self._written / 2), int(at)) for at in self._committed)


def run(
    throttle: Throttle, readers: list[Reader], *, slices: int, live: float, start: int = 0
) -> list[tuple[float, float]]:
    """The rate that went and how long records waited in seconds, slice by slice."""
    seen = []
    for number in range(start, start + slices):
        at = (number + 1) * SLICE_SECONDS
        rate = 0 if throttle.is_held else throttle.rate
        offered = (live + rate) * SLICE_SECONDS
        for reader in readers:
            offered = reader.go_on(at, offered)
        throttle.see(Look(at, tuple(reader.stage for reader in readers)))
        seen.append((rate, sum(reader.waiting / max(reader.speed, 1) for reader in readers)))
    return seen


@pytest.mark.parametrize("rhythm", [0.25, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("speeds", [(10_000, 3_000), (3_000, 10_000), (900, 900)])
def test_history_uses_what_is_free_and_live_events_hardly_wait(rhythm: float, speeds: tuple[int, int]):
    settled = run(Throttle(), [Reader(speed, rhythm) for speed in speeds], slices=1600, live=200)[400:]

    free = min(speeds) - 200
    waits = [wait for _, wait in settled]
    assert sum(rate for rate, _ in settled) / len(settled) > 0.5 * free
    assert max(waits) < 6 * SLACK
    assert sum(waits) / len(waits) < SLACK


def test_it_never_exceeds_its_limit():
    seen = run(Throttle(1000), [Reader(50_000, 0.5), Reader(50_000, 0.5)], slices=400, live=0)

    assert max(rate for rate, _ in seen) == 1000
    assert Throttle(10).rate == 10


def test_it_waits_for_who_stands_still_and_goes_on_with_him():
    reader = Reader(5000, 0.5)
    throttle = Throttle()
    run(throttle, [reader], slices=100, live=0)
    reader.speed = 0
    stood = run(throttle, [reader], slices=40, live=10, start=100)
    reader.speed = 5000
    went_on = run(throttle, [reader], slices=40, live=10, start=140)

    assert [rate for rate, _ in stood[20:]] == [0] * 20
    assert throttle.wait < 2
    assert went_on[-1][0] > 0


def test_it_waits_for_who_has_never_run():
    seen = run(Throttle(), [Reader(0, 0.5)], slices=40, live=0)

    assert [rate for rate, _ in seen[20:]] == [0] * 20


def looks(*places: tuple[int, int]) -> list[Look]:
    """A look a second at one partition: its end, and what is committed."""
    return [Look(at, ((Place(end, committed),),)) for at, (end, committed) in enumerate(places)]


def test_a_wait_is_that_of_the_oldest_uncommitted_record():
    assert wait_of(looks((5, 5), (8, 5), (9, 8))) == 0
    assert wait_of(looks((5, 5), (8, 5), (9, 7))) == 1
    assert wait_of(looks((5, 0), (8, 0), (9, 0))) == 2
    assert wait_of(looks((5, 0), (5, 5))) == 0


def test_it_begins_gently():
    assert Throttle().rate == START
