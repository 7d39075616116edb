"""`audit import` on all of the pipeline: killed, stopped, resumed and repeated, each record is there once."""

import csv
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver import Client
from command import AUDIT

from audit_deploy.stack import Stack, running
from audit_schemas.settings import ClickHouse

RECORDS = 8_000
BEGAN = datetime(2020, 1, 1, tzinfo=UTC)
MAPPING = """
source = "tickets"
[time]
zone = "UTC"
[event]
account = "tenant"
occurred_at = "at"
action = "what"
target = { type = "kind", id = "number" }
[event.changes]
each = { field = "field", old = "from", new = "to" }
"""
HEADER = ("tenant", "at", "what", "kind", "number", "field", "from", "to")


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All servers and workers, for this file alone."""
    with running(data_dir=tmp_path_factory.mktemp("stack")) as stack:
        yield stack


def history() -> list[tuple[datetime, str]]:
    """When something happened to what: six years in random order."""
    chosen = random.Random(7)
    return [
        (
            BEGAN + timedelta(seconds=chosen.randrange(6 * 365 * 86_400)),
            chosen.choice(("contact", "role", "agent")),
        )
        for _ in range(RECORDS)
    ]


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """Fifty of the records are there twice, and three bad ones among them."""
    rows: list[tuple[Any, ...]] = [
        ("old", f"{at:%Y-%m-%d %H:%M:%S}", "update", kind, number, "name", "a", f"b{number}")
        for number, (at, kind) in enumerate(history())
    ]
    rows += rows[:50]
    rows[1000:1000] = [("old", "never", "update", "contact", "x", "name", "a", "b")] * 3
    with (tmp_path / "tickets.csv").open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    (tmp_path / "tickets.toml").write_text(MAPPING)
    return tmp_path / "tickets.csv"


def started(stack: Stack, dump: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [AUDIT, "import", str(dump), "--mapping", str(dump.with_suffix(".toml")), "--json", *options],
        env=os.environ | stack.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until_settled(dump: Path, records: int, process: subprocess.Popen[str]) -> None:
    state = dump.with_name(f"{dump.name}.import.json")
    deadline = time.monotonic() + 120
    while not state.exists() or json.loads(state.read_text())["records"] < records:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def ask(stack: Stack, query: str) -> list[tuple[Any, ...]]:
    server = ClickHouse.from_url(stack.clickhouse)
    password = server.password.get_secret_value()
    with Client(server.host, server.port, server.database, server.user, password) as client:
        found: list[tuple[Any, ...]] = client.execute(query)
    return found


def until_stored(stack: Stack, account: str, expected: int) -> None:
    deadline = time.monotonic() + 60
    query = f"SELECT count() FROM audit_log WHERE account_id = '{account}'"
    while (found := ask(stack, query)) != [(expected,)]:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def test_killed_stopped_resumed_and_repeated_each_record_is_there_once(pipeline: Stack, dump: Path):
    with started(pipeline, dump, "--at-once", "--rate", "2000") as killed:
        until_settled(dump, 1500, killed)
        killed.kill()
    with started(pipeline, dump) as stopped:
        until_settled(dump, 2000, stopped)
        stopped.send_signal(signal.SIGTERM)
        told = json.loads(stopped.communicate(timeout=60)[0])
    with started(pipeline, dump, "--at-once") as resumed:
        output, complaints = resumed.communicate(timeout=120)

    assert (stopped.returncode, told["is_done"]) == (3, False)
    assert 2000 <= told["read"] < RECORDS
    assert f"going on after {told['read']:,} records" in complaints
    assert resumed.returncode == 3  # three records are bad
    done = json.loads(output)
    assert (done["read"], done["imported"], done["rejected"]) == (RECORDS + 53, RECORDS + 50, 3)
    assert len(Path(done["rejected_file"]).read_text().splitlines()) == 3
    until_stored(pipeline, "old", RECORDS + 50)
    check_stored(pipeline)

    with started(pipeline, dump, "--at-once") as repeated:
        again = json.loads(repeated.communicate(timeout=120)[0])
    assert again["imported"] == RECORDS + 50
    publish_behind(pipeline)
    check_stored(pipeline)


def check_stored(stack: Stack) -> None:
    """Every record once, twins twice, each at its own time; those of contacts in their activity, too."""
    ours = "WHERE account_id = 'old'"
    rows = ask(
        stack,
        "SELECT toUInt32(target_id) AS number, count(), uniqExact(event_id), min(occurred_at), "
        f"countIf(claimed_at != '' OR recorded != 'backfill') FROM audit_events FINAL {ours} "
        "GROUP BY number ORDER BY number",
    )
    assert [row[0] for row in rows] == list(range(RECORDS))
    assert {row[1:3] for row in rows[:50]} == {(2, 2)}
    assert {row[1:3] for row in rows[50:]} == {(1, 1)}
    assert [row[3].replace(tzinfo=UTC) for row in rows] == [at for at, _ in history()]
    assert sum(row[4] for row in rows) == 0
    (in_log,) = ask(stack, f"SELECT count() FROM audit_log {ours} AND target_type = 'contact'")
    deadline = time.monotonic() + 60
    while (shown := ask(stack, f"SELECT count() FROM contact_activity {ours}")) != [in_log]:
        assert time.monotonic() < deadline, (shown, in_log)
        time.sleep(0.2)


def publish_behind(stack: Stack) -> None:
    """Wait for live events that go the same way behind all that was imported, some in each partition."""
    lines = [
        {"account": "live", "action": "update", "target": {"type": "role", "id": str(number)}}
        for number in range(64)
    ]
    subprocess.run(
        [AUDIT, "publish", "-"],
        input="\n".join(map(json.dumps, lines)).encode(),
        env=os.environ | stack.environment,
        check=True,
        capture_output=True,
    )
    until_stored(stack, "live", 64)
