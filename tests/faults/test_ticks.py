"""Windows close by themselves: in partitions where nothing happens, and where nothing happens at all."""

import time

import pytest
from sinking import wait_until

from .cases import Case
from .rig import Rig
from .traffic import Mix
from .verdict import survived

LAST_CLOSED = "audit_window_last_closed_timestamp_seconds"


@pytest.mark.slow
def test_one_contact_alone_gets_its_windows_closed_while_the_other_partitions_are_idle(rig: Rig) -> None:
    mix = Mix(accounts=1, contacts=1, others=0)
    found = survived(rig, Case(name=rig.name, disturb=lambda rig: rig.near_boundary(0.0, 0.1), mix=mix))
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
