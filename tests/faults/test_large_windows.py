"""A window may be as large as it likes: the worker's memory is bounded by its parts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from .rig import Rig
from .traffic import Mix, Traffic, event_body
from .verdict import in_report, judged

CHANGES_OF_A_WINDOW = 300_000
MEMORY = 400 * 2**20


def publish(traffic: Traffic, contact_of: Callable[[int], str]) -> None:
    for number in range(CHANGES_OF_A_WINDOW):
        target = {"type": "contact", "id": contact_of(number)}
        now = datetime.now(UTC).isoformat()
        traffic.publish(event_body(account=traffic.account, occurred_at=now, target=target))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("contact_of", [lambda _: "1", str], ids=["one contact", "as many contacts"])
def test_a_window_of_300_000_changes_is_closed_in_little_memory(
    rig: Rig, contact_of: Callable[[int], str]
) -> None:
    rig = replace(rig, length=60)
    rig.complete()
    windows = rig.crew.any("windows")
    with in_report(rig) as row:
        rig.near_boundary(0.0, 0.1)
        with Traffic(rig.stack.kafka, rig.choose, Mix(rate=0)) as traffic:
            publish(traffic, contact_of)
        row.events = traffic.acknowledged
        found = judged(rig, row, traffic)
        peak = windows.peak_memory()
        print(f"peak memory of the window worker: {peak / 2**20:.0f} MiB, {len(found.batches):,} batches")
        assert len({batch.span for batch in found.batches}) == 1
        assert peak < MEMORY
