"""Consumer groups attacked: rebalances without end, and workers that wake up when others have their place."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random

from sinking import wait_until

from audit_schemas.kill_points import POINTS

from .cases import case
from .groups import members
from .point_cases import GROUPS, armed, at_some_time, part_of
from .rig import Rig
from .traffic import Mix
from .workers import PARTS, Worker

MOST = 3
"""Workers of one kind at once."""


def side_by_side(*chains: Callable[[], object]) -> None:
    """Do several things at once, and fail with the first that fails."""
    with ThreadPoolExecutor(len(chains)) as pool:
        for chain in [pool.submit(chain) for chain in chains]:
            chain.result()


@case("workers come and go without end", own=PARTS, times=20, mix=Mix(rate=1000), seconds=900)
def _(rig: Rig) -> None:
    """Of each kind another one joins, leaves or dies every few seconds, often in mid-rebalance."""
    chances = [Random(rig.choose.random()) for _ in PARTS]
    side_by_side(
        *(partial(come_and_go, rig, part, choose) for part, choose in zip(PARTS, chances, strict=True))
    )
    for part in PARTS:
        times = sum(worker.said().count("assigned") for worker in rig.crew.workers if worker.part == part)
        print(f"{part}: partitions were assigned {times} times")
        assert times > rig.times / 2, "hardly any rebalance"


def come_and_go(rig: Rig, part: str, choose: Random) -> None:
    """Workers of one kind join, leave and die; one that is only starting is left alone."""
    rig.start(part).until_ready()
    for _ in range(rig.times):
        present = rig.crew.running(part)
        able = [worker for worker in present if worker.is_ready]
        if len(present) < MOST and (not able or choose.random() < 1 / 2):
            rig.start(part)
        elif able:
            worker = choose.choice(able)
            choose.choice([worker.stop, worker.kill])()
        time.sleep(choose.uniform(0.5, 3.0))


def oversleep(rig: Rig, worker: Worker, choose: Random) -> None:
    """Let a stopped worker sleep until its group has given it up, and wake up soon after.

    What it had in hand it goes on with then, while another one is busy with the same records. It either
    joins again or ends, to be started again as any worker is that ends.
    """
    wait_until(lambda: worker.is_frozen or not worker.runs, seconds=90, about=f"{worker.part} stopped")
    group, left = GROUPS[worker.part], worker.runs
    assert left, worker.said()[-3000:]
    wait_until(lambda: len(members(rig.stack.kafka, group)) == 1, seconds=60, about=f"{group} without it")
    time.sleep(choose.uniform(0.0, 2.0))
    worker.let_go = True
    worker.go_on()
    wait_until(lambda: worker.is_ready or not worker.runs, seconds=60, about=f"{worker.part} awake")
    print(f"{worker.part} {'joined again' if worker.runs else f'ended with {worker.process.returncode}'}")
    if worker.runs:
        worker.stop()


def oversleep_at(rig: Rig, points: Iterable[str], choose: Random) -> None:
    """Let a worker fall asleep at each of these points, beside one that stays awake."""
    for point in points:
        oversleep(rig, armed(rig, at_some_time(point, choose), "stop "), choose)


@case("workers fall asleep, and wake up when others have their place", times=5, seconds=900)
def _(rig: Rig) -> None:
    """At their points: what they then insert, send and commit comes too late, and must do no harm."""
    chains = []
    for part in PARTS:
        points = [point for point in POINTS if part_of(point) == part]
        chosen = rig.choose.sample(points, min(rig.times, len(points)))
        chains.append(partial(oversleep_at, rig, chosen, Random(rig.choose.random())))
    side_by_side(*chains)


def oversleep_anywhere(rig: Rig, part: str, choose: Random) -> None:
    """Stop a worker at any moment, beside one that stays awake."""
    for _ in range(rig.times):
        sleeper = rig.start(part).until_ready()
        time.sleep(choose.uniform(0.0, 2.0))
        sleeper.freeze()
        oversleep(rig, sleeper, choose)


@case("workers are frozen at random for longer than their sessions", times=4, mix=Mix(rate=1000), seconds=900)
def _(rig: Rig) -> None:
    chances = [Random(rig.choose.random()) for _ in PARTS]
    side_by_side(
        *(partial(oversleep_anywhere, rig, part, choose) for part, choose in zip(PARTS, chances, strict=True))
    )
