"""`audit monitor run` on real servers: what it shows, what it leaves out while one is away, how it ends."""

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from command import AUDIT
from prometheus_client.parser import text_string_to_metric_families
from sinking import wait_until

from audit_deploy.ports import choose
from audit_deploy.programs import CLICKHOUSE, KAFKA
from audit_deploy.stack import running

LOOKED = "audit_monitor_looked_timestamp_seconds"
OF_KAFKA = {"audit_consumer_lag_records", "audit_consumer_lag_seconds", "audit_safe_for_seconds"}
OF_CLICKHOUSE = {"audit_dead_letters_open", "audit_activity_overdue_records"}


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Any]:
    """One of its own, since its servers are stopped."""
    with running(workers=False) as stack:
        for command in (["topics", "apply"], ["migrate", "up"]):
            environment = {**os.environ, **stack.environment}
            subprocess.run([AUDIT, *command], env=environment, check=True, capture_output=True)
        yield stack


class Monitor:
    def __init__(self, stack: Any, log: Path) -> None:
        self.port = choose(["monitor"], given={}, last={})["monitor"]
        self.log = log
        settings = {
            "AUDIT_HTTP_PORT": str(self.port),
            "AUDIT_MONITOR_SECONDS": "0.5",
            "AUDIT_MONITOR_VERIFY_SECONDS": "1",
        }
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [AUDIT, "monitor", "run"],
                env={**os.environ, **stack.environment, **settings},
                stderr=output,
                cwd=log.parent,
            )

    def get(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return error.read().decode()
        except OSError:
            return ""

    def values(self) -> dict[str, float]:
        """One value of each metric that has a sample."""
        families = text_string_to_metric_families(self.get("/metrics"))
        return {sample.name: sample.value for family in families for sample in family.samples}

    def until(self, holds: Any, about: str) -> None:
        assert self.process.poll() is None, self.log.read_text()
        wait_until(lambda: holds(self.values()), seconds=40, about=f"{about}\n{self.log.read_text()}")


@contextmanager
def monitor(stack: Any, folder: Path) -> Iterator[Monitor]:
    started = Monitor(stack, folder / "monitor.log")
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait()


def test_what_a_server_that_is_away_would_tell_is_not_there_until_it_is_back(
    own_stack: Any, tmp_path: Path
) -> None:
    with monitor(own_stack, tmp_path) as watching:
        everything = {*OF_KAFKA, *OF_CLICKHOUSE, "audit_verify_faults", "audit_doctor_findings", LOOKED}
        watching.until(lambda seen: everything <= seen.keys(), "all metrics")
        assert watching.get("/readyz") == "ok\n"
        for server, own, others in ((KAFKA, OF_KAFKA, OF_CLICKHOUSE), (CLICKHOUSE, OF_CLICKHOUSE, OF_KAFKA)):
            before = watching.log.read_text().count('"event": "waits"')
            own_stack.stop(server)
            watching.until(lambda seen, own=own: not own & seen.keys(), f"{server} noticed")
            stands = watching.values()
            assert others <= stands.keys()
            assert server in watching.get("/readyz").lower()
            assert watching.values()[LOOKED] == stands[LOOKED]
            time.sleep(3)
            waits = watching.log.read_text().count('"event": "waits"') - before
            assert waits <= 2, "that it is away is said once by the looks and once by the proof"
            own_stack.start(server)
            own_stack.wait_ready(server)
            watching.until(lambda seen, at=stands[LOOKED]: seen.get(LOOKED, 0) > at, f"{server} back")
        watching.process.send_signal(signal.SIGTERM)
        assert watching.process.wait(timeout=10) == 0


def test_status_has_exit_code_3_while_nobody_writes_marks_and_0_is_not_said_of_the_unknown(
    own_stack: Any,
) -> None:
    environment = {**os.environ, **own_stack.environment}
    done = subprocess.run(
        [AUDIT, "status", "--behind", "5m"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert "is `audit processor run` up?" in done.stderr
    assert "Complete through    not known" in done.stdout


def test_watching_status_ends_with_ctrl_c_and_the_exit_code_of_the_last_look(own_stack: Any) -> None:
    environment = {**os.environ, **own_stack.environment}
    with subprocess.Popen(
        [AUDIT, "status", "--watch", "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as watching:
        assert watching.stdout is not None
        looks = [watching.stdout.readline() for _ in range(2)]
        watching.send_signal(signal.SIGINT)
        assert watching.wait(timeout=20) == 3
        assert all(b'"behind":true' in look for look in looks)
