"""What happens to Kafka while services publish: it restarts, is away for long, or hangs."""

import time

from audit_deploy.programs import KAFKA

from .cases import case
from .recovery import recovered
from .rig import Rig
from .traffic import Mix
from .workers import PARTS

STALL = 4
"""Seconds for which the workers of one case bear that Kafka takes nothing from them."""


def back_again(rig: Rig, what: str, published: int) -> None:
    """Wait until Kafka can be used, and note how long it takes from then until new events are stored."""
    rig.until_back(KAFKA)
    recovered(rig, what, time.monotonic(), published)


def published(rig: Rig) -> int:
    """How many events were published by now."""
    assert rig.traffic is not None
    return len(rig.traffic.order)


@case("Kafka is restarted in order")
def _(rig: Rig) -> None:
    for _ in range(rig.times):
        rig.pause(0.0, 2.0)
        rig.stack.stop(KAFKA)
        before = published(rig)
        rig.stack.start(KAFKA)
        back_again(rig, "kafka, restarted", before)


@case("Kafka is away for a minute", times=1, mix=Mix(rate=2000))
def _(rig: Rig) -> None:
    """Longer than the SDK has room for what is published: then it blocks, and refuses nothing."""
    rig.stack.stop(KAFKA)
    time.sleep(60)
    before = published(rig)
    rig.stack.start(KAFKA)
    back_again(rig, "kafka, away for a minute", before)
    assert [worker.part for worker in rig.crew.workers if worker.runs] == list(PARTS), "a worker gave up"


@case("Kafka hangs for longer than the workers' sessions", times=2)
def _(rig: Rig) -> None:
    """Its connections stay; when it goes on, it has ended the sessions of all."""
    for _ in range(rig.times):
        rig.pause(0.0, 2.0)
        with rig.frozen(KAFKA):
            rig.pause(8.0, 15.0)
            before = published(rig)
        back_again(rig, "kafka, hung", before)


@case("Kafka hangs until the workers leave", own=("processor", "windows"), times=2, mix=Mix(rate=1000))
def _(rig: Rig) -> None:
    """A worker whose run is in hand for too long ends, and what takes its place begins that run again."""
    for _ in range(rig.times):
        workers = [
            rig.start(part, AUDIT_PROCESSOR_STALL_SECONDS=str(STALL)) for part in ("processor", "windows")
        ]
        for worker in workers:
            worker.until_ready()
        rig.pause(1.0, 3.0)
        with rig.frozen(KAFKA):
            assert workers[0].ended(STALL + 15) == 1
            workers[1].let_go = True  # it leaves too where it has a part of a window in hand
        assert f"has been in hand for {STALL} s" in workers[0].said()
        rig.until_back(KAFKA)
        if workers[1].runs:
            workers[1].stop()
