"""kill -9 of workers and servers at random moments; what was killed is started again at once."""

import os
import time
from math import ceil

from audit_deploy.programs import CLICKHOUSE, KAFKA

from .cases import case
from .recovery import recovered
from .rig import Rig
from .traffic import Mix
from .workers import PARTS

SERVERS = (KAFKA, CLICKHOUSE)
EVERYTHING = (*PARTS, *SERVERS)
VICTIMS = [*((name,) for name in EVERYTHING), EVERYTHING]
"""What dies at once."""
IN_A_ROUND = 50
KILLS = int(os.environ.get("AUDIT_KILLS") or 500)
"""Of the long form."""


def kill(rig: Rig, victims: tuple[str, ...]) -> None:
    """Kill what is named, and start it again; the servers are waited for, the workers are not."""
    for name in victims:
        if name in SERVERS:
            rig.kill(name)
        else:
            rig.crew.any(name).kill()
    for name in victims:
        if name in PARTS:
            rig.start(name)
    for name in victims:
        if name in SERVERS:
            rig.until_back(name)


def kill_and_measure(rig: Rig, victims: tuple[str, ...]) -> None:
    """Kill, and note how long it takes until new events are in ClickHouse again."""
    assert rig.traffic is not None
    published, since = len(rig.traffic.order), time.monotonic()
    kill(rig, victims)
    recovered(rig, " ".join(victims), since, published)


@case("each part is killed once", everyday=True, times=1, mix=Mix(rate=1000))
def _(rig: Rig) -> None:
    for victims in rig.choose.sample(VICTIMS, len(VICTIMS)):
        rig.pause(0.0, 0.5)
        kill_and_measure(rig, victims)


@case(
    "everything is killed at random",
    times=min(KILLS, IN_A_ROUND),
    rounds=ceil(KILLS / IN_A_ROUND),
    mix=Mix(rate=1000),
    seconds=1800,
)
def _(rig: Rig) -> None:
    """Often while the last kill is not yet got over; now and then that is waited for, and measured."""
    while rig.kills < rig.times:
        victims = rig.choose.choice(VICTIMS)
        if rig.choose.random() < 0.3:
            kill_and_measure(rig, victims)
        else:
            kill(rig, victims)
        rig.pause(0.0, 3.0)
