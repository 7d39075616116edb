"""A recovery is seen however much was published while something was down."""

import time
from dataclasses import replace

from sinking import wait_until

from .recovery import recovered
from .rig import Rig
from .traffic import Mix, Traffic

_LONG_LIST = 8_000
"""Events: as a list of ids more than the 256 KiB that ClickHouse reads of a query."""


def test_a_recovery_is_seen_after_many_events(rig: Rig) -> None:
    rig.complete()
    began = time.monotonic()
    with Traffic(rig.stack.kafka, rig.choose, Mix(rate=100_000)) as traffic:
        wait_until(lambda: len(traffic.order) >= _LONG_LIST, seconds=60, about="events")
    recovered(replace(rig, traffic=traffic), "nothing", began, 0)
    assert rig.tally.recoveries["nothing"][0] > 0
