"""What operations see: one event through every stage, lag, a server that is away."""

import json
import time
import urllib.error
import urllib.request
import uuid

from command import Audit, Rows

from audit_deploy.control import Stack


def publish(audit: Audit, **fields: object) -> str:
    event = {
        "id": str(uuid.uuid4()),
        "account": "operations",
        "action": "update",
        "target": {"type": "contact", "id": "42"},
        **fields,
    }
    done = audit("publish", "-", stdin=json.dumps(event))
    assert done.returncode == 0, done.stderr
    return str(event["id"])


def ready(stack: Stack, name: str) -> str:
    """What a worker's /readyz says."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{stack.plan.ports[name]}/readyz", timeout=5) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()


def until_ready_says(stack: Stack, name: str, words: str) -> None:
    end = time.monotonic() + 60
    while words not in (said := ready(stack, name)):
        assert time.monotonic() < end, f"{name} says {said!r}, not {words!r}"
        time.sleep(0.2)


def test_a_trace_follows_one_event_through_every_stage(audit: Audit, rows: Rows) -> None:
    event = publish(audit)
    assert rows(f"SELECT 1 FROM audit_log WHERE event_id = '{event}'")

    done = audit("trace", event, "--since", "1h")

    assert done.returncode == 0, done.stderr
    for stage in ("audit.changes.v1", "audit.events.v1", "audit_events", "audit_log"):
        assert stage in done.stdout


def test_a_trace_of_an_unknown_event_says_that_it_is_missing(audit: Audit) -> None:
    assert audit("trace", str(uuid.uuid4()), "--since", "1m").returncode != 0


def test_status_is_fine_once_everything_is_stored(audit: Audit, rows: Rows) -> None:
    event = publish(audit)
    assert rows(f"SELECT 1 FROM audit_log WHERE event_id = '{event}'")

    end = time.monotonic() + 30
    while (done := audit("status", "--json")).returncode == 3 and time.monotonic() < end:
        time.sleep(1)  # the last offsets are committed a moment later

    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)


def test_while_clickhouse_is_away_the_sink_says_so_and_then_goes_on(
    pipeline: Stack, audit: Audit, rows: Rows
) -> None:
    pipeline.stop("clickhouse")
    try:
        event = publish(audit)
        until_ready_says(pipeline, "sink", "ClickHouse")
    finally:
        pipeline.start("clickhouse")
        pipeline.wait_ready("clickhouse", "sink")

    assert rows(f"SELECT 1 FROM audit_log WHERE event_id = '{event}'")


def test_while_kafka_is_away_the_workers_say_so_and_then_go_on(
    pipeline: Stack, audit: Audit, rows: Rows
) -> None:
    pipeline.stop("kafka")
    try:
        for worker in ("processor", "windows", "sink"):
            until_ready_says(pipeline, worker, "Kafka")
        done = audit("topics", "list")
        assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    finally:
        pipeline.start("kafka")
        pipeline.wait_ready()

    event = publish(audit)
    assert rows(f"SELECT 1 FROM audit_log WHERE event_id = '{event}'")
