"""kill -9 of every part while events flow: what was acknowledged is stored, once."""

import os
import random
import time

import pytest
from flow import Publisher, wait_until_stored

from audit_deploy.control import Stack

PARTS = ("processor", "windows", "sink", "kafka", "clickhouse")


def kill_while_publishing(stack: Stack, victims: list[str], *, rate: int, pause: float) -> None:
    with Publisher(stack.kafka, rate) as publisher:
        time.sleep(pause)
        for victim in victims:
            stack.kill(victim)
            time.sleep(pause)
            stack.wait_ready(timeout=120)
    found = wait_until_stored(stack.clickhouse, publisher.ids)

    assert set(publisher.ids) - found.keys() == set()
    assert [event for event, times in found.items() if times != 1] == []
    assert len(publisher.ids) > rate * pause


def test_every_acknowledged_event_is_stored_once_though_each_part_is_killed(pipeline: Stack) -> None:
    kill_while_publishing(pipeline, list(PARTS), rate=2000, pause=1.0)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_acknowledged_event_is_stored_once_through_many_random_kills(pipeline: Stack) -> None:
    seed = int(os.environ.get("AUDIT_SEED") or time.time())
    print(f"AUDIT_SEED={seed}")
    choose = random.Random(seed)
    victims = [choose.choice(PARTS) for _ in range(int(os.environ.get("AUDIT_KILLS", "60")))]

    kill_while_publishing(pipeline, victims, rate=3000, pause=0.7)
