"""The SDK and its commands on a real Kafka: what was acknowledged is there, whatever ends or goes away."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from command import AUDIT
from kafka_records import records_of

from audit_deploy.stack import Stack, running
from audit_producers import QueueFull, Recorder, Settings, Target
from audit_producers.delivery import KafkaDelivery, Record
from audit_schemas.topics import CHANGES, PRODUCERS
from audit_schemas.wire import decode_event

EXAMPLE = Path(__file__).parents[2] / "producers/audit_producers/examples/first_event.py"
BOB = Target(type="contact", id="42")

FORKS = """
import os
from audit_producers import Recorder, Settings, Target
audit = Recorder(Settings.from_env(service="forks"))
def record(number):
    audit.record("update", Target(type="contact", id="42"), account=os.environ["ACCOUNT"], reason=str(number))
for number in range(3):
    record(f"parent {number}")
child = os.fork()
for number in range(3, 6):
    record(f"{'parent' if child else 'child'} {number}")
if child:
    assert os.waitpid(child, 0)[1] == 0
"""

ENDS = """
import os, sys
from audit_producers import Recorder, Settings, Target
audit = Recorder(Settings.from_env(service="ends"))
for number in range(1000):
    audit.record("update", Target(type="contact", id="42"), account=os.environ["ACCOUNT"])
sys.exit(7)
"""


POOL = """
import multiprocessing, os
from audit_producers import Recorder, Settings, Target
audit = Recorder(Settings.from_env(service="pool"))
def record(number):
    audit.record("update", Target(type="contact", id="42"), account=os.environ["ACCOUNT"], reason=str(number))
fork = multiprocessing.get_context("fork")
processes = [fork.Process(target=record, args=(number,)) for number in range(3)]
for process in processes:
    process.start()
for process in processes:
    process.join()
"""


@pytest.fixture
def account() -> str:
    return f"acme-{uuid4()}"


@pytest.fixture(scope="module")
def breakable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Kafka that a test may stop."""
    with running(data_dir=tmp_path_factory.mktemp("stack"), workers=False) as stack:
        subprocess.run([AUDIT, "topics", "apply"], env=os.environ | stack.environment, check=True, timeout=60)
        yield stack


def events_of(kafka: str, account: str) -> list[dict[str, Any]]:
    return [
        msgspec.json.decode(message.value())
        for message in records_of(kafka, CHANGES.name)
        if message.key().startswith(account.encode())
    ]


def run(stack: Any, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=os.environ | stack.environment | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_event_arrives_with_its_key_headers_and_number(stack: Any, account: str):
    recorder = Recorder(Settings(service="helpdesk", kafka=stack.kafka))
    event_id = recorder.viewed(BOB, account=account)
    assert recorder.flush(10) == 0
    recorder.close()

    [message] = [
        one for one in records_of(stack.kafka, CHANGES.name) if one.key() == f"{account}/contact/42".encode()
    ]
    headers, event = dict(message.headers()), msgspec.json.decode(message.value())
    assert (headers["ce_id"], headers["ce_source"]) == (str(event_id).encode(), b"/helpdesk")
    assert event["producer"]["sequence"] == 1
    instance = event["producer"]["instance"]
    told = [
        json.loads(one.value())
        for one in records_of(stack.kafka, PRODUCERS.name)
        if one.key() == instance.encode()
    ]
    said = [(one["kind"], one["sequence"], one["acknowledged"]) for one in told]
    assert said == [("start", 0, 0), ("stop", 1, 1)]


def test_what_is_queued_when_a_script_ends_is_sent(stack: Any, account: str):
    done = run(stack, sys.executable, "-c", ENDS, ACCOUNT=account)

    assert (done.returncode, done.stderr) == (7, "")
    assert sorted(event["producer"]["sequence"] for event in events_of(stack.kafka, account)) == list(
        range(1, 1001)
    )


def test_after_a_fork_both_go_on_and_nothing_is_sent_twice(stack: Any, account: str):
    done = run(stack, sys.executable, "-c", FORKS, ACCOUNT=account)

    assert (done.returncode, done.stderr) == (0, "")
    by_instance: dict[str, list[tuple[int, str]]] = {}
    for event in events_of(stack.kafka, account):
        producer = event["producer"]
        by_instance.setdefault(producer["instance"], []).append((producer["sequence"], event["reason"]))
    assert sorted(by_instance.values(), key=len) == [
        [(number - 2, f"child {number}") for number in range(3, 6)],
        [(number + 1, f"parent {number}") for number in range(6)],
    ]
    stops = [
        (one["sequence"], one["acknowledged"])
        for one in map(json.loads, (record.value() for record in records_of(stack.kafka, PRODUCERS.name)))
        if one.get("kind") == "stop" and one["instance"] in by_instance
    ]
    assert sorted(stops) == [(3, 3), (6, 6)]


def test_what_is_queued_when_a_child_of_multiprocessing_ends_is_sent(stack: Any, account: str):
    done = run(stack, sys.executable, "-c", POOL, ACCOUNT=account)

    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(event["reason"] for event in events_of(stack.kafka, account)) == ["0", "1", "2"]


def test_a_full_queue_is_seen_while_kafka_is_away(account: str, caplog: pytest.LogCaptureFixture):
    given_up: list[Record] = []
    recorder = Recorder(
        Settings(service="helpdesk", kafka="127.0.0.1:1", queue_events=5, block_seconds=0.2, exit_seconds=0),
        on_undelivered=lambda record, _: given_up.append(record),
    )
    for _ in range(4):  # and the record of the start
        recorder.viewed(BOB, account=account)
    began = time.monotonic()
    with pytest.raises(QueueFull, match="wait for Kafka at 127"):
        recorder.viewed(BOB, account=account)

    assert time.monotonic() - began > 0.2
    assert recorder.flush(0) == 5
    recorder.close()
    # The client gives topics up in no particular order.
    assert sorted(record.is_event for record in given_up) == [False, True, True, True, True]
    assert recorder.stats.undelivered == 4
    assert "given up" in caplog.text


def test_kafka_away_and_back_loses_nothing_and_keeps_the_order(
    breakable: Stack, account: str, caplog: pytest.LogCaptureFixture
):
    recorder = Recorder(Settings(service="helpdesk", kafka=breakable.kafka))

    def record(numbers: range) -> None:
        for number in numbers:
            recorder.record(
                "update", Target(type="contact", id=str(number % 3)), account=account, reason=str(number)
            )

    record(range(300))
    breakable.stop("kafka")
    record(range(300, 600))
    assert recorder.flush(0.5) > 0
    breakable.start("kafka")
    breakable.wait_ready("kafka")
    record(range(600, 900))
    assert recorder.flush(30) == 0
    recorder.close()

    events = events_of(breakable.kafka, account)
    for contact in range(3):
        found = [int(event["reason"]) for event in events if event["target"]["id"] == str(contact)]
        assert found == list(range(contact, 900, 3))
    assert "records wait" in caplog.text
    assert "is back" in caplog.text


def test_a_record_that_kafka_refuses_is_handed_back(stack: Any):
    given_up: list[tuple[Record, str]] = []
    delivery = KafkaDelivery(
        Settings(service="helpdesk", kafka=stack.kafka), lambda record, why: given_up.append((record, why))
    )
    delivery.offer(Record("audit.no-such-topic.v1", b"key", b"value"))
    delivery.close(1)

    [(record, why)] = given_up
    assert (record.topic, record.key, record.value) == ("audit.no-such-topic.v1", b"key", b"value")
    assert why


def test_the_first_event_of_the_example_arrives(stack: Any):
    done = run(stack, sys.executable, str(EXAMPLE))

    assert (done.stdout, done.stderr) == ("0 events wait for their acknowledgement\n", "")
    changes = [event["changes"] for event in events_of(stack.kafka, "acme/contact/42")]
    assert [{"field": "phone", "old": "+49 30 1234", "new": "+49 30 9876"}] in changes


def test_publish_sends_the_good_lines_and_keeps_the_bad_ones(stack: Any, account: str, tmp_path: Path):
    good = {"account": account, "action": "update", "target": {"type": "contact", "id": "1"}}
    lines: list[bytes] = []
    for bad in (
        b"\xff\xfe", b"{", b"null", json.dumps({**good, "reason": "x" * 2_000_000}).encode(),
        json.dumps({**good, "changes": 5}).encode(), json.dumps({**good, "colour": "red"}).encode(),
        json.dumps({**good, "occurred_at": "2026-01-31T10:00:00"}).encode(),
        json.dumps({**good, "target": {"type": "contact", "id": None}}).encode(),
    ):  # fmt: skip
        lines += [json.dumps({**good, "metadata": {"line": len(lines)}}).encode(), bad]
    odd: list[dict[str, Any]] = [
        {"occurred_at": "1970-01-01T00:00:00Z"}, {"occurred_at": "2199-01-01T00:00:00Z"}, {"module": "none"},
        {"origin": {"address": "host.example.com:443"}}, {"changes": [{"field": "f", "new": 1}] * 10_000},
    ]  # fmt: skip
    lines += [json.dumps({**good, **fields}).encode() for fields in odd]
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(lines))

    done = run(stack, AUDIT, "publish", str(file), "--json")

    kept = tmp_path / "events.jsonl.rejected.jsonl"
    assert done.returncode == 3
    assert json.loads(done.stdout) == {"read": 21, "published": 13, "rejected": 8, "rejected_file": str(kept)}
    assert kept.read_bytes().splitlines() == lines[1:16:2]
    assert [f"line {number}: " in done.stderr for number in range(2, 17, 2)] == [True] * 8
    events = events_of(stack.kafka, account)
    assert [event["metadata"]["line"] for event in events if "metadata" in event] == list(range(0, 16, 2))
    assert len(events) == 13


def test_publishing_a_file_again_gives_the_same_ids(stack: Any, account: str, tmp_path: Path):
    file = tmp_path / "events.jsonl"
    line = {
        "account": account,
        "action": "view",
        "target": {"type": "t", "id": "1"},
        "occurred_at": "2026-01-31T10:00Z",
    }
    line["occurred_at"] = "2026-01-31T10:00:00Z"
    file.write_text(f"{json.dumps(line)}\n" * 3)
    outputs = [run(stack, AUDIT, "publish", str(file)).stdout for _ in range(2)]

    ids = [event["id"] for event in events_of(stack.kafka, account)]
    assert outputs == ["3 read, 3 published, 0 rejected\n"] * 2
    assert (len(ids), len(set(ids)), ids[:3]) == (6, 3, ids[3:])


def test_publish_reads_standard_input_as_it_comes(stack: Any, account: str):
    line = json.dumps({"account": account, "action": "view", "target": {"type": "t", "id": "1"}})
    with subprocess.Popen(
        [AUDIT, "publish", "-"],
        env=os.environ | stack.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin
        process.stdin.write(line.encode() + b"\n")
        process.stdin.flush()
        deadline = time.monotonic() + 20
        while not events_of(stack.kafka, account):
            assert time.monotonic() < deadline
        output, _ = process.communicate()

    assert (process.returncode, output) == (0, b"1 read, 1 published, 0 rejected\n")


def test_an_unreachable_kafka_is_one_clear_line(stack: Any, tmp_path: Path):
    file = tmp_path / "events.jsonl"
    file.write_text('{"account": "a", "action": "view", "target": {"type": "t", "id": "1"}}\n')
    done = run(stack, AUDIT, "publish", str(file), "--give-up-after", "1", AUDIT_KAFKA="127.0.0.1:1")

    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "127.0.0.1:1" in done.stderr


def test_accounts_and_actors_are_set_merged_imported_and_listed(stack: Any, account: str, tmp_path: Path):
    run(stack, AUDIT, "account", "set", account, "--name", "Acme Ltd", "--zone", "Europe/Berlin")
    run(stack, AUDIT, "account", "set", account, "--plan", "pro")
    run(stack, AUDIT, "actor", "set", "7", "--account", account, "--name", "Ann", "--permission", "export")
    run(stack, AUDIT, "actor", "set", "7", "--account", account, "--role", "Supervisor", "--inactive")
    file = tmp_path / "agents.csv"
    file.write_text(
        "id,name,type,permissions,active\n"
        "8,Bob,agent,View Audit logs;Other,yes\n"
        "9,Eve,robot,,\n"
        ",No id,,,\n"
        "10,Kim,,,maybe\n"
    )
    imported = run(stack, AUDIT, "actor", "import", str(file), "--account", account)

    accounts = map(json.loads, run(stack, AUDIT, "account", "list", "--json").stdout.splitlines())
    [found] = [entry for entry in accounts if entry["id"] == account]
    assert (found["name"], found["plan"], found["zone"]) == ("Acme Ltd", "pro", "Europe/Berlin")
    listed = run(stack, AUDIT, "actor", "list", "--account", account, "--json").stdout.splitlines()
    ann, bob = sorted(map(json.loads, listed), key=lambda entry: entry["id"])
    assert (ann["name"], ann["role"], ann["active"]) == ("Ann", "Supervisor", False)
    assert ann["permissions"] == ["View and Export Audit logs"]
    assert (bob["name"], bob["permissions"]) == ("Bob", ["View Audit logs", "Other"])
    assert imported.returncode == 3
    assert [f"line {number}: " in imported.stderr for number in (3, 4, 5)] == [True] * 3
    assert "1 actors are set, 3 rows are bad" in imported.stdout


def test_that_readings_are_recorded_is_recorded_itself(stack: Any, account: str):
    for switch in ("--record-reads", "--record-reads", "--no-record-reads"):
        run(stack, AUDIT, "account", "set", account, switch)
    run(stack, AUDIT, "account", "set", account, "--plan", "pro")

    found = [
        record
        for record in records_of(stack.kafka, CHANGES.name)
        if account.encode() in (record.key() or b"")
    ]
    told = [event for record in found if (event := decode_event(record.value())[0]).account == account]
    assert [bytes(event.changes[0].new) for event in told] == [b"true", b"false"]
    assert all(event.actor.id.startswith("operator:") for event in told)


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        (("account", "set", "acme", "--zone", "Atlantis"), "Atlantis"),
        (("actor", "set", "7", "--account", "acme", "--permission", "fly"), "fly"),
    ],
)
def test_a_wrong_entry_is_refused(stack: Any, command: tuple[str, ...], fault: str):
    done = run(stack, AUDIT, *command)

    assert done.returncode in {1, 2}
    assert fault in done.stderr
    assert "Traceback" not in done.stderr
