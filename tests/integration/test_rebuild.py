"""`audit rebuild` beside a running sink, on servers of its own: rows and records are deleted here."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from enriching import contact_batch, contact_change, message
from sinking import AUDIT, insert, publish, running_sink, wait_until

from audit_deploy.control import Stack
from audit_deploy.stack import running
from audit_schemas.settings import ClickHouse
from audit_schemas.topics import ACCOUNTS, CONTACT_BATCHES, EVENTS
from audit_schemas.wire import encode
from audit_sinks.clickhouse import connect, query
from audit_sinks.errors import Misconfigured
from audit_sinks.rebuilding import memory
from audit_sinks.rebuilding.rebuild import Rebuild

WINDOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Both servers, and a sink that runs all the time."""
    with running(data_dir=tmp_path_factory.mktemp("stack"), workers=False) as stack:
        for command in (["topics", "apply"], ["migrate", "up"]):
            assert audit(stack, *command).returncode == 0
        with running_sink(stack.environment, sink_linger_seconds="0.2"):
            yield stack


@pytest.fixture
def client(stack: Stack) -> Iterator[Any]:
    with connect(ClickHouse.from_url(stack.clickhouse)) as client:
        yield client
        client.execute("DROP DATABASE IF EXISTS audit_rebuild SYNC")


def audit(stack: Stack, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, **stack.environment}
    return subprocess.run([AUDIT, *arguments], env=environment, capture_output=True, text=True, check=False)


def rebuild(stack: Stack, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
    done = audit(stack, "rebuild", "--yes", "--json", *arguments)
    assert done.returncode == exit_code, done.stderr
    return dict(json.loads(done.stdout))


def store(stack: Stack, client: Any, account: str, count: int, **given: Any) -> None:
    """Publish events of now, and wait until the sink has stored them."""
    received = datetime.now(UTC)
    given = {"account": account, "received_at": received, **given}
    publish(stack.kafka, EVENTS.name, [message(number, **given) for number in range(count)])
    wait_until(lambda: stored(client, account) >= count, seconds=60, about=f"{count} of {account}")


def activity(account: str, count: int) -> bytes:
    """A batch of changes of now."""
    given = {"account": account, "received_at": datetime.now(UTC)}
    return contact_batch(*(contact_change(number, WINDOW, **given) for number in range(count)))


def stored(client: Any, account: str) -> int:
    (found,) = query(client, "SELECT count() AS rows FROM audit_log WHERE account_id = %(a)s", {"a": account})
    return int(found["rows"])


def delete(client: Any, table: str, account: str) -> None:
    client.execute(
        f"ALTER TABLE {table} DELETE WHERE account_id = %(a)s",
        {"a": account},
        settings={"mutations_sync": 2},
    )


def contents(client: Any, table: str) -> list[Any]:
    """All rows, with what the server computes and remembers of them."""
    columns = query(
        client,
        "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = %(t)s",
        {"t": table},
    )
    names = ", ".join(column["name"] for column in columns)
    return sorted(client.execute(f"SELECT {names} FROM {table} FINAL"), key=repr)


def test_every_table_is_rebuilt_as_it_was_and_says_so_in_the_log(stack: Stack, client: Any) -> None:
    publish(stack.kafka, EVENTS.name, [b"no json"])
    account = {"id": "dir", "name": "Dir", "zone": "UTC", "updated_at": "2026-03-02T09:00:00Z"}
    publish(stack.kafka, ACCOUNTS.name, [encode(account)])
    publish(stack.kafka, CONTACT_BATCHES.name, [activity("all", 5)])
    store(stack, client, "all", 500)
    counted = {"audit_events": 500, "contact_events": 5, "accounts": 1, "dead_letters": 1}
    tables = [*counted, "contact_batches", "actors", "producer_records"]
    wait_until(
        lambda: all(len(contents(client, table)) == count for table, count in counted.items()),
        seconds=30,
        about="all tables filled",
    )
    before = {table: contents(client, table) for table in tables if table != "contact_batches"}
    done = rebuild(stack, "--by", "ada")
    assert {name: found["before"] for name, found in done["tables"].items()} == {
        **dict.fromkeys(tables, 0),
        **counted,
        "contact_batches": 1,
    }
    assert all(
        found["after"] == found["before"] and not found["differing"] for found in done["tables"].values()
    )
    assert {table: contents(client, table) for table in before} == before
    assert sorted(done["exchanged"]) == sorted(tables)
    assert done["old_tables_in"] == "audit_rebuild"
    (told,) = [event for event in changes(stack) if event["action"] == "rebuild"]
    assert (told["actor"]["name"], told["target"]["id"]) == ("ada", "audit")
    again = audit(stack, "rebuild", "--yes")
    assert (again.returncode, "audit rebuild --clean" in again.stderr) == (1, True)
    assert audit(stack, "rebuild", "--clean").stdout.endswith("freed\n")
    assert not query(client, "SELECT name FROM system.databases WHERE name = 'audit_rebuild'")


def changes(stack: Stack) -> list[dict[str, Any]]:
    """What lies in audit.changes."""
    consumer = Consumer({"bootstrap.servers": stack.kafka, "group.id": "t", "enable.partition.eof": True})
    topic = "audit.changes.v1"
    partitions = consumer.list_topics(topic).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    found, ends = [], 0
    while ends < len(partitions):
        for record in consumer.consume(1000, 1.0):
            ends += record.error() is not None
            if record.error() is None:
                found.append(json.loads(record.value() or b""))
    consumer.close()
    return found


def test_events_that_come_meanwhile_are_there_once_and_readers_miss_nothing(
    stack: Stack, client: Any
) -> None:
    store(stack, client, "traffic", 2_000)
    ended, published, seen = threading.Event(), [2_000], [2_000]

    def go_on_publishing() -> None:
        while not ended.wait(0.02):
            numbers = range(published[0], published[0] + 50)
            publish(stack.kafka, EVENTS.name, [message(n, account="traffic") for n in numbers])
            published[0] += 50

    def go_on_reading() -> None:
        with connect(ClickHouse.from_url(stack.clickhouse)) as reader:
            while not ended.is_set():
                seen.append(stored(reader, "traffic"))

    threads = [threading.Thread(target=work) for work in (go_on_publishing, go_on_reading)]
    for thread in threads:
        thread.start()
    try:
        done = rebuild(stack, "--tables", "audit_events", "--drop-old")
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert (done["exchanged"], done["missing"], done["old_tables_in"]) == (["audit_events"], 0, None)
    assert published[0] > 2_000
    assert min(seen) >= 2_000
    assert len(seen) > 10
    wait_until(lambda: stored(client, "traffic") == published[0], seconds=30, about="all of it stored")
    (ids,) = query(client, "SELECT uniqExact(event_id) AS ids FROM audit_log WHERE account_id = 'traffic'")
    assert ids["ids"] == published[0]


def test_rows_that_the_table_has_lost_come_back(stack: Stack, client: Any) -> None:
    store(stack, client, "lost", 100)
    delete(client, "audit_events", "lost")
    assert stored(client, "lost") == 0
    found = rebuild(stack, "--tables", "audit_events", "--drop-old")["tables"]["audit_events"]
    assert (found["additional"], found["missing"], stored(client, "lost")) == (100, 0, 100)


@pytest.mark.slow
def test_wording_that_was_made_anew_stays_and_what_differs_is_as_kafka_has_it(
    stack: Stack, client: Any
) -> None:
    store(stack, client, "reworded", 10)
    store(stack, client, "altered", 10)
    client.execute(
        "INSERT INTO audit_events SELECT * REPLACE (2 AS catalogue_version, 'reworded' AS description) "
        "FROM audit_events FINAL WHERE account_id = 'reworded'"
    )
    client.execute(
        "INSERT INTO audit_events SELECT * REPLACE ('Mallory' AS actor_name) "
        "FROM audit_events FINAL WHERE account_id = 'altered'"
    )
    found = rebuild(stack, "--tables", "audit_events", "--drop-old")["tables"]["audit_events"]
    assert (found["differing"], found["missing"]) == (10, 0)
    assert all("altered" in key for key in found["differing_keys"])
    seen = client.execute(
        "SELECT account_id, count(), countIf(description = 'reworded'), countIf(actor_name = 'Mallory') "
        "FROM audit_log WHERE account_id IN ('reworded', 'altered') GROUP BY ALL ORDER BY ALL"
    )
    assert seen == [("altered", 10, 0, 0), ("reworded", 10, 10, 0)]


def test_a_row_that_kafka_should_have_and_has_not_keeps_everything_as_it_is(
    stack: Stack, client: Any
) -> None:
    later = datetime.now(UTC) + timedelta(hours=2)
    forged = message(1, account="forged", occurred_at=later, received_at=later)
    insert(ClickHouse.from_url(stack.clickhouse), EVENTS.name, forged, topic_id="forged")
    before = memory.table_id(client, "audit", "audit_events")
    refused = audit(stack, "rebuild", "--yes", "--tables", "audit_events")
    assert refused.returncode == 3
    assert "audit_events, missing: ('forged'" in refused.stdout
    assert "missing in what was rebuilt: 1; nothing is exchanged" in refused.stderr
    assert memory.table_id(client, "audit", "audit_events") == before
    assert stored(client, "forged") == 1
    assert query(client, "SELECT name FROM system.databases WHERE name = 'audit_rebuild'")
    delete(client, "audit_events", "forged")
    assert rebuild(stack, "--tables", "audit_events", "--drop-old")["missing"] == 0


def test_a_rehearsal_leaves_nothing_behind(stack: Stack, client: Any) -> None:
    store(stack, client, "rehearsal", 10)
    before = memory.table_id(client, "audit", "audit_events")
    done = rebuild(stack, "--dry-run", "--tables", "audit_events")
    assert (done["exchanged"], done["dry_run"], done["old_tables_in"]) == ([], True, None)
    assert memory.table_id(client, "audit", "audit_events") == before
    assert not query(client, "SELECT name FROM system.databases WHERE name = 'audit_rebuild'")


def test_a_table_that_nobody_knows_is_a_usage_error(stack: Stack) -> None:
    refused = audit(stack, "rebuild", "--tables", "audit_events,nonsense")
    assert (refused.returncode, "nonsense: the tables are audit_events" in refused.stderr) == (2, True)


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.slow
def test_an_exchange_that_was_interrupted_is_finished_by_the_next_run(
    stack: Stack, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = ("audit_events", "contact_events")
    store(stack, client, "interrupted", 100)
    before = {table: memory.table_id(client, "audit", table) for table in tables}
    job = Rebuild(kafka=stack.kafka, clickhouse=ClickHouse.from_url(stack.clickhouse), tables=tables)
    report, positions = job.build()

    def exchange_but_one(client: Any, live: str, spare: str, pair: memory.Pair) -> None:
        if pair.table == "contact_events":
            raise Killed
        _exchange(client, live, spare, pair)

    _exchange = memory.exchange
    monkeypatch.setattr(memory, "exchange", exchange_but_one)
    with suppress(Killed):
        job.exchange(positions, report)
    # What the sink stores now goes into one new table, and into one old one.
    store(stack, client, "meanwhile", 100)
    publish(stack.kafka, CONTACT_BATCHES.name, [activity("meanwhile", 5)])
    synced = "SELECT count() AS rows FROM contact_activity WHERE account_id = 'meanwhile'"
    wait_until(lambda: query(client, synced)[0]["rows"] == 5, seconds=30, about="the activity stored")

    with pytest.raises(Misconfigured, match="while it exchanged tables"):
        job.clean()
    rehearsed = audit(stack, "rebuild", "--dry-run")
    assert (rehearsed.returncode, "run `audit rebuild` to finish it" in rehearsed.stderr) == (1, True)
    finished = audit(stack, "rebuild")
    assert finished.returncode == 0, finished.stderr
    assert "finishing the exchange of the last rebuild" in finished.stderr
    assert "exchanged: contact_events;" in finished.stdout
    assert all(memory.table_id(client, "audit", table) != old for table, old in before.items())
    assert (stored(client, "interrupted"), stored(client, "meanwhile")) == (100, 100)
    assert query(client, synced)[0]["rows"] == 5
    assert job.unfinished() is None


def test_rows_whose_records_kafka_no_longer_has_are_kept(stack: Stack, client: Any) -> None:
    """Last, since these records are gone for good."""
    store(stack, client, "gone", 100)
    consumer = Consumer({"bootstrap.servers": stack.kafka, "group.id": "t"})
    partitions = consumer.list_topics(EVENTS.name).topics[EVENTS.name].partitions
    ends = [
        TopicPartition(
            EVENTS.name, n, consumer.get_watermark_offsets(TopicPartition(EVENTS.name, n), timeout=10)[1]
        )
        for n in partitions
    ]
    consumer.close()
    admin = AdminClient({"bootstrap.servers": stack.kafka})
    for deleted in admin.delete_records(ends).values():
        deleted.result()
    before = contents(client, "audit_events")
    store(stack, client, "fresh", 100)
    done = rebuild(stack, "--tables", "audit_events", "--drop-old")
    assert done["kept"] == {"audit_events": len(before)}
    assert done["records"] == 100
    assert (stored(client, "gone"), stored(client, "fresh")) == (100, 100)
    assert [row for row in contents(client, "audit_events") if row in before] == before
