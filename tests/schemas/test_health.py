"""What both workers answer to /healthz and /readyz, and what they log of it."""

import pytest
from structlog.testing import capture_logs

from audit_schemas.health import STILL, Health


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_ready_gives_the_reason_of_every_part_that_waits() -> None:
    health = Health({"start": "starting"})
    health.report("kafka", "Kafka is away")
    assert health.ready() == "starting; Kafka is away"
    health.report("start", None)
    assert (health.ready(), health.waits("kafka"), health.waits("start")) == ("Kafka is away", True, False)
    health.report("kafka", None)
    assert health.ready() is None


def test_each_change_is_logged_once() -> None:
    health = Health({})
    with capture_logs() as logged:
        for reason in (None, "away", "away", "full", None, None):
            health.report("kafka", reason)
    assert [(line["event"], line.get("reason")) for line in logged] == [
        ("waits", "away"),
        ("waits", "full"),
        ("goes on", None),
    ]


@pytest.mark.parametrize("reason", [None, "Kafka is away"])
def test_alive_by_its_heartbeat_alone(reason: str | None) -> None:
    clock = Clock()
    health = Health({}, clock=clock)
    health.report("kafka", reason)
    clock.now = STILL
    assert health.alive() is None
    clock.now = STILL + 1
    assert health.alive() == "the loop has not turned for 61 s"
    health.beat()
    assert health.alive() is None
