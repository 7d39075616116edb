"""The sink while its servers go away: a stack of its own, since it kills them."""

import os
import signal
import subprocess
import threading
from typing import Any

import pytest
from enriching import message
from sinking import AUDIT, publish, running_sink, wait_until

from audit_deploy.stack import running
from audit_schemas import topics
from audit_schemas.settings import ClickHouse
from audit_sinks.clickhouse import connect, explained
from audit_sinks.errors import Unreachable


@pytest.mark.slow
def test_servers_killed_while_events_flow_lose_and_double_nothing() -> None:
    total = 40_000
    with running(workers=False) as stack:
        environment = {**os.environ, **stack.environment}
        for command in (["topics", "apply"], ["migrate", "up"]):
            subprocess.run([AUDIT, *command], env=environment, check=True, capture_output=True)
        messages = (message(number, account="outage") for number in range(total))
        publisher = threading.Thread(target=publish, args=(stack.kafka, topics.EVENTS.name, messages))
        with running_sink(stack.environment, sink_rows="5000") as sink:
            publisher.start()
            for fraction, server in ((0.1, "clickhouse"), (0.5, "kafka")):
                wait_until(
                    lambda f=fraction: _counts(stack)[0] >= total * f, seconds=60, about=f"{fraction} stored"
                )
                _kill(stack, server)
            publisher.join()
            wait_until(lambda: _counts(stack)[0] >= total, seconds=60, about="all events stored")
            assert sink.poll() is None
        assert _counts(stack) == (total, total)


def _counts(stack: Any) -> tuple[int, int]:
    """Rows before any merging, and distinct events; none while ClickHouse is away."""
    try:
        with connect(ClickHouse.from_url(stack.clickhouse)) as client, explained():
            (counts,) = client.execute("SELECT count(), uniqExact(event_id) FROM audit_events")
    except Unreachable:
        return 0, 0
    return int(counts[0]), int(counts[1])


def _kill(stack: Any, server: str) -> None:
    """Its supervisor starts it again."""
    (process,) = [process for process in stack.supervisor.processes() if process.name == server]
    os.kill(process.pid, signal.SIGKILL)
