"""Dead letters on their way back, or given up, on a stack of their own with its workers."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Producer
from enriching import message
from kafka_records import records_of
from sinking import wait_until

from audit_deploy.control import Stack
from audit_deploy.stack import running
from audit_schemas import own_events
from audit_schemas.dead_letter import DeadLetter, Refusable
from audit_schemas.settings import ClickHouse
from audit_schemas.topics import ACCOUNTS, CHANGES, CONTACT_BATCHES, DEAD_LETTERS, EVENTS
from audit_sinks.clickhouse import connect, query
from audit_sinks.commands.dead_letters import dead_letters
from audit_sinks.errors import AuditError, Unreachable

BEFORE_ALL = datetime(1970, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of our own: a table is changed here, and letters are counted."""
    with running(data_dir=tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture
def client(pipeline: Stack) -> Iterator[Any]:
    with connect(ClickHouse.from_url(pipeline.clickhouse)) as client:
        yield client


def letters(pipeline: Stack, *arguments: str) -> Result:
    """Run `audit dead-letters`, in this process: starting Python each time would take most of the time."""
    done = CliRunner().invoke(dead_letters, arguments, env=dict(pipeline.environment))
    if isinstance(done.exception, AuditError):
        done.exit_code = done.exception.exit_code
    elif done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def viewed(pipeline: Stack, letter_id: str) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(letters(pipeline, "view", letter_id, "--json").stdout)
    return shown


def append(pipeline: Stack, topic: str, value: bytes, **more: Any) -> None:
    producer = Producer({"bootstrap.servers": pipeline.kafka})
    producer.produce(topic, value, **more)
    assert producer.flush(10) == 0


def ids_of(client: Any, needle: bytes) -> list[str]:
    """The letters whose bytes hold these, the newest first."""
    sql = (
        "SELECT dead_letter_id AS id FROM dead_letters FINAL WHERE "
        "position(base64Decode(ifNull(value, '')), %(needle)s) > 0 ORDER BY received_at DESC"
    )
    return [str(row["id"]) for row in query(client, sql, {"needle": needle.decode()})]


def letter_of(client: Any, needle: bytes) -> str:
    wait_until(lambda: bool(ids_of(client, needle)), seconds=15, about="a dead letter")
    return ids_of(client, needle)[0]


def in_log(client: Any, account: str) -> int:
    """Events of an account, without those that tell of its dead letters."""
    sql = "SELECT count() AS n FROM audit_log WHERE account_id = %(a)s AND target_type != 'dead_letter'"
    return int(query(client, sql, {"a": account})[0]["n"])


def told(client: Any, letter: str) -> list[tuple[str, ...]]:
    """What the log tells of a letter: account, action, who and why, the oldest first."""
    sql = (
        "SELECT account_id, action_type, actor_name, ifNull(reason, '') AS why FROM audit_log "
        "WHERE target_type = 'dead_letter' AND target_id = %(id)s ORDER BY occurred_at"
    )
    return [tuple(row.values()) for row in query(client, sql, {"id": letter})]


def keep(pipeline: Stack, client: Any, topic: str, value: bytes | None, *, partition: int = 0) -> str:
    """A letter as a worker would write it, of a record that is nowhere."""
    record = Refusable(
        topic=topic,
        partition=partition,
        offset=uuid4().int >> 80,
        key=b"k",
        value=value,
        headers=(),
        received_at=datetime.now(UTC),
    )
    letter = DeadLetter.of(
        record, stage="windows", reason="too_large", detail="made", failed_at=datetime.now(UTC)
    )
    append(pipeline, DEAD_LETTERS.name, letter.model_dump_json().encode())
    stored = "SELECT 1 FROM dead_letters WHERE dead_letter_id = %(id)s"
    wait_until(lambda: bool(query(client, stored, {"id": letter.id})), seconds=15, about="the letter stored")
    return str(letter.id)


def test_an_event_that_is_no_event_is_in_the_log_once_after_it_is_mended(
    pipeline: Stack, client: Any, tmp_path: Path
) -> None:
    account = f"mended-{uuid4()}"
    mended = {
        "id": str(uuid4()),
        "account": account,
        "occurred_at": "2026-03-01T09:00:00Z",
        "action": "update",
        "target": {"type": "role", "id": "1"},
    }
    refused = json.dumps({**mended, "target": "role 1"}).encode()
    headers = [("trace", b"\x00\xff"), ("trace", b"2")]
    append(pipeline, CHANGES.name, refused, key=b"k", headers=headers)
    first = letter_of(client, account.encode())

    # As it was, it is refused again: another letter, of the same bytes.
    assert letters(pipeline, "replay", first, "--yes", "--by", "ada").exit_code == 0
    wait_until(lambda: len(ids_of(client, account.encode())) == 2, seconds=15, about="refused again")
    second = ids_of(client, account.encode())[0]
    again = viewed(pipeline, second)
    assert again["related"] == [{"id": first, "same": "bytes"}]
    assert [(again[name]) for name in ("key", "value", "headers")] == [
        viewed(pipeline, first)[name] for name in ("key", "value", "headers")
    ]
    [handling] = viewed(pipeline, first)["handling"]
    assert (handling["action"], handling["handled_by"], handling["mended"]) == ("replayed", "ada", False)
    assert (handling["partition"], handling["offset"]) == (again["partition"], again["offset"])

    file = tmp_path / "mended.json"
    file.write_text(json.dumps(mended))
    done = letters(pipeline, "replay", second, "--value", str(file), "--yes", "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout)["topic"] == CHANGES.name
    wait_until(lambda: in_log(client, account) == 1, seconds=15, about="the event in the log")


def test_what_the_sink_refused_is_in_the_log_once_however_often_it_is_put_back(
    pipeline: Stack, client: Any
) -> None:
    account = f"refused-{uuid4()}"
    value = message(1, account=account, occurred_at=BEFORE_ALL)
    append(pipeline, EVENTS.name, value, key=b"k", partition=3)
    letter = letter_of(client, account.encode())

    client.execute("ALTER TABLE audit_events DROP CONSTRAINT occurred_at_is_in_range")
    for _ in range(2):
        assert letters(pipeline, "replay", letter, "--yes").exit_code == 0
    append(pipeline, EVENTS.name, message(2, account=f"{account}-last"), partition=3)

    wait_until(lambda: in_log(client, f"{account}-last") == 1, seconds=15, about="what came after it")
    assert in_log(client, account) == 1
    back = [record for record in records_of(pipeline.kafka, EVENTS.name) if record.value() == value]
    assert [(record.key(), record.partition()) for record in back] == [(b"k", 3)] * 3
    assert [done["action"] for done in viewed(pipeline, letter)["handling"]] == ["replayed", "replayed"]
    wait_until(lambda: len(told(client, letter)) == 2, seconds=15, about="who put it back")
    assert {(owner, action) for owner, action, *_ in told(client, letter)} == {(account, "replay")}


def test_a_letter_without_its_value_is_refused_and_names_where_it_lies(pipeline: Stack, client: Any) -> None:
    kept, lost = keep(pipeline, client, CHANGES.name, b"[]"), keep(pipeline, client, CHANGES.name, None)

    some = letters(pipeline, "replay", kept, lost, "--yes", "--json")
    none = letters(pipeline, "replay", lost, "--yes")

    problems = {line["id"]: line["problem"] for line in map(json.loads, some.stdout.splitlines())}
    assert (some.exit_code, problems[kept]) == (3, "")
    offset = viewed(pipeline, lost)["offset"]
    assert f"{CHANGES.name}, partition 0, offset {offset}, until" in problems[lost]
    assert (none.exit_code, viewed(pipeline, lost)["handling"]) == (1, [])


def test_a_record_of_the_directory_is_not_put_back_over_a_newer_one(pipeline: Stack, client: Any) -> None:
    letter = keep(pipeline, client, ACCOUNTS.name, b"{}")

    done = letters(pipeline, "replay", letter, "--yes")

    assert (done.exit_code, "compacted" in done.stdout) == (1, True)
    assert b"{}" not in [record.value() for record in records_of(pipeline.kafka, ACCOUNTS.name)]


def test_what_kafka_does_not_acknowledge_stays_open(pipeline: Stack, client: Any) -> None:
    letter = keep(pipeline, client, EVENTS.name, b"[]", partition=999)

    done = letters(pipeline, "replay", letter, "--yes", "--json")

    assert (done.exit_code, json.loads(done.stdout)["offset"]) == (1, None)
    assert viewed(pipeline, letter)["handling"] == []


def test_mended_bytes_of_another_event_are_said_to_be_one(
    pipeline: Stack, client: Any, tmp_path: Path
) -> None:
    old, new = str(uuid4()), str(uuid4())
    letter = keep(pipeline, client, CHANGES.name, json.dumps({"id": old, "account": 7}).encode())
    again = keep(pipeline, client, CHANGES.name, json.dumps({"id": old, "account": 8}).encode())
    file = tmp_path / "mended.json"
    file.write_text(json.dumps({"id": new}))

    other = letters(pipeline, "replay", letter, "--value", str(file), "--dry-run")
    file.write_text(json.dumps({"id": old}))
    same = letters(pipeline, "replay", letter, "--value", str(file), "--dry-run")

    assert f"another event: {new} instead of {old}" in other.stderr
    assert same.stderr == ""
    assert viewed(pipeline, letter)["related"] == [{"id": again, "same": "event"}]
    assert letters(pipeline, "replay", letter, again, "--value", str(file), "--yes").exit_code == 2


def test_a_dry_run_and_a_question_without_an_answer_change_nothing(pipeline: Stack, client: Any) -> None:
    value = f'["{uuid4()}"]'.encode()
    letter = keep(pipeline, client, CHANGES.name, value)

    dry = letters(pipeline, "replay", letter, "--dry-run")
    unanswered = letters(pipeline, "replay", letter)

    assert (dry.exit_code, dry.stdout) == (0, f"{letter}  would go to {CHANGES.name}\n")
    assert unanswered.exit_code == 1
    assert viewed(pipeline, letter)["handling"] == []
    assert value not in [record.value() for record in records_of(pipeline.kafka, CHANGES.name)]


def test_what_is_given_up_is_no_longer_open_and_keeps_its_bytes(pipeline: Stack, client: Any) -> None:
    letter = keep(pipeline, client, CHANGES.name, b"[1]")
    listed = ("list", "--stage", "windows", "--reason", "too_large", "--since", "1h", "--json")
    assert letter in letters(pipeline, *listed).stdout

    done = letters(pipeline, "purge", letter, "--reason-text", "a load test", "--by", "ada", "--yes")

    assert (done.exit_code, done.stdout) == (0, f"{letter}  given up\n")
    assert letter not in letters(pipeline, *listed).stdout
    [line] = [row for row in letters(pipeline, *listed, "--all").stdout.splitlines() if letter in row]
    assert json.loads(line)["state"] == "purged"
    assert letters(pipeline, "view", letter, "--value").stdout == "[1]"
    assert "purged by ada" in letters(pipeline, "view", letter).stdout
    assert "a load test" in letters(pipeline, "view", letter).stdout


def test_the_log_says_once_who_gave_a_letter_up_and_why(pipeline: Stack, client: Any) -> None:
    named = keep(pipeline, client, CHANGES.name, json.dumps({"account": "acme-purged"}).encode())
    nameless = keep(pipeline, client, CHANGES.name, b"[5]")

    for _ in range(2):
        done = letters(pipeline, "purge", named, nameless, "--reason-text", "junk", "--by", "ada", "--yes")
        assert (done.exit_code, done.stdout.count("given up")) == (0, 2)

    wait_until(lambda: bool(told(client, named) and told(client, nameless)), seconds=15, about="who did it")
    assert told(client, named) == [("acme-purged", "purge", "ada", "junk")]
    assert told(client, nameless) == [("auditlane", "purge", "ada", "junk")]
    assert len(viewed(pipeline, named)["handling"]) == 1


def test_a_letter_stays_open_where_the_log_cannot_be_told(
    pipeline: Stack, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_events, "_DELIVERY_SECONDS", 1)
    letter = keep(pipeline, client, CHANGES.name, b"[6]")
    away = {**pipeline.environment, "AUDIT_KAFKA": "127.0.0.1:1"}

    done = CliRunner().invoke(dead_letters, ["purge", letter, "--reason-text", "junk", "--yes"], env=away)

    assert isinstance(done.exception, Unreachable)
    assert (done.stdout, viewed(pipeline, letter)["handling"]) == ("", [])


def test_filters_choose_open_letters_only_and_none_is_refused(pipeline: Stack, client: Any) -> None:
    given_up = keep(pipeline, client, CONTACT_BATCHES.name, b"[2]")
    other = keep(pipeline, client, CHANGES.name, b"[3]")
    wanted = keep(pipeline, client, CONTACT_BATCHES.name, b"[4]")
    letters(pipeline, "purge", given_up, "--reason-text", "x", "--yes")

    filters = ("--topic", CONTACT_BATCHES.name, "--stage", "windows", "--since", "1h")
    shown = letters(pipeline, "replay", *filters, "--dry-run", "--json").stdout

    assert [json.loads(line)["id"] for line in shown.splitlines()] == [wanted]
    assert letters(pipeline, "list", *filters).stdout.endswith("1 shown, 1 open\n")
    for other_filter in (("--reason", "rejected"), ("--stage", "sink"), ("--since", "2200-01-01")):
        assert letters(pipeline, "list", *filters, *other_filter).stdout.endswith("0 shown, 0 open\n")
    assert letters(pipeline, "replay", "--yes").exit_code == 2
    assert letters(pipeline, "purge", other, *filters, "--reason-text", "x", "--yes").exit_code == 2
    assert letters(pipeline, "purge", other, "--reason-text", " ", "--yes").exit_code == 2
    assert letters(pipeline, "replay", str(uuid4()), "--yes").exit_code == 1
