"""No worker's clock decides anything: only the broker's does, and one that cannot be right stops the work."""

from dataclasses import replace
from pathlib import Path

import pytest

from .cases import Case
from .clocks import MISSING, Clock
from .rig import Rig
from .traffic import Mix, Traffic
from .verdict import in_report, judged, survived

pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
HOUR = 3600
WORKERS = ("processor", "windows")


def with_clock(rig: Rig, clock: Clock) -> Rig:
    return replace(rig, settings={**rig.settings, **clock.environment})


@pytest.mark.slow
def test_each_change_is_once_in_its_window_though_the_workers_clocks_jump(rig: Rig, tmp_path: Path) -> None:
    clock = Clock(tmp_path, HOUR)

    def jumping(rig: Rig) -> None:
        for worker in (with_clock(rig, clock).processor(), with_clock(rig, clock).windows()):
            worker.until_ready()
        for seconds in (-HOUR, rig.choose.randrange(-HOUR, HOUR), HOUR):
            rig.near_boundary(-0.5, 0.5)
            clock.set(seconds)

    survived(rig, Case(name=rig.name, disturb=jumping, own=WORKERS))


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
def test_each_change_is_once_in_its_window_though_the_workers_clocks_are_an_hour_off(
    rig: Rig, tmp_path: Path, seconds: int
) -> None:
    clock = Clock(tmp_path, seconds)

    def off(rig: Rig) -> None:
        for worker in (with_clock(rig, clock).processor(), with_clock(rig, clock).windows()):
            worker.until_ready()
        for _ in range(3):
            rig.near_boundary(0.0, 0.1)

    survived(rig, Case(name=rig.name, disturb=off, own=WORKERS))


def test_a_broker_that_is_days_ahead_stops_the_enriching_worker_with_a_clear_message(
    rig: Rig, tmp_path: Path
) -> None:
    behind = with_clock(rig, Clock(tmp_path, -48 * HOUR))
    with in_report(rig) as row:
        with Traffic(rig.stack.kafka, rig.choose, Mix()) as traffic:
            processor = behind.processor()
            assert processor.ended(30) == 1
        assert (
            "which is more than a day from now; set the clocks of the brokers and of this machine"
            in processor.said()
        )
        row.events = traffic.acknowledged
        rig.complete()
        judged(rig, row, traffic)
