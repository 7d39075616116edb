"""Windows close by themselves: in partitions where nothing happens, and where nothing happens at all."""

import time

import pytest
from sinking import wait_until

from .rig import Rig, survived
from .traffic import Mix

LAST_CLOSED = "audit_window_last_closed_timestamp_seconds"


def started(rig: Rig) -> None:
    for worker in (rig.processor(), rig.windows()):
        worker.until_ready()


@pytest.mark.slow
def test_one_contact_alone_gets_its_windows_closed_while_the_other_partitions_are_idle(rig: Rig) -> None:
    found = survived(rig, started, Mix(accounts=1, contacts=1, others=0))
    assert len({event.source.partition for event in found.received}) == 1


def test_windows_go_on_closing_without_any_traffic(rig: Rig) -> None:
    rig.processor()
    windows = rig.windows().until_ready()
    began = time.time()
    wait_until(
        lambda: windows.metric(LAST_CLOSED) >= began + 2 * rig.length,
        seconds=10 * rig.length,
        about="two more windows closed",
    )
    assert windows.metric(LAST_CLOSED) <= time.time()
    assert windows.metric(LAST_CLOSED) % rig.length == 0
    assert rig.crew.fallen() == []
