import threading
import time

from audit_schemas.health import STILL, Health
from audit_sinks.watchdog import LOOKS, watch

EVERY = 0.01


def watched() -> tuple[Health, list[float], "threading.Event", list[str]]:
    """A health by a clock of its own, and what the watchdog does about it."""
    now, left, reasons = [0.0], threading.Event(), list[str]()

    def leave(reason: str) -> None:
        reasons.append(reason)
        left.set()

    health = Health({}, clock=lambda: now[0])
    watch(health, every=EVERY, leave=leave)
    return health, now, left, reasons


def test_a_loop_that_stands_still_ends_the_process() -> None:
    _health, now, left, reasons = watched()
    assert not left.wait(2 * LOOKS * EVERY)
    now[0] = STILL + 1
    assert left.wait(10)
    assert reasons == ["the loop has not turned for 61 s"]


def test_a_process_that_was_only_suspended_goes_on() -> None:
    health, now, left, _ = watched()
    now[0] = 10 * STILL
    time.sleep(2 * EVERY)
    health.beat()
    assert not left.wait(3 * LOOKS * EVERY)
