"""Contact batches on their way into ClickHouse: each change once, in its earliest window, and where from."""

import json
import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest
import sinking
from command import AUDIT
from enriching import START, contact_batch, contact_change, event_id
from sinking import publish, running_sink, start_sink, wait_until

from audit_schemas import topics
from audit_schemas.settings import ClickHouse
from audit_schemas.wire import encode
from audit_sinks import journal
from audit_sinks.batches import Refusal
from audit_sinks.clickhouse import connect, query
from audit_sinks.event_feeds import CONTACT_EVENTS
from audit_sinks.payloads import read_batch

BATCHES = topics.CONTACT_BATCHES.name
LATER = START + timedelta(hours=3)
Insert = Callable[..., list[Refusal]]


@pytest.fixture
def insert(clickhouse: ClickHouse) -> Insert:
    return partial(sinking.insert, clickhouse, BATCHES)


@pytest.fixture
def stacked(stack: Any) -> Iterator[Any]:
    """The database that the sink's process fills."""
    with connect(ClickHouse.from_url(stack.clickhouse)) as client:
        yield client


def rows(client: Any, account: str = "a") -> tuple[int, int]:
    """Rows of both tables before any merging by FINAL: a repeat would count."""
    (counts,) = client.execute(
        "SELECT (SELECT count() FROM contact_events WHERE account_id = %(a)s), "
        "(SELECT count() FROM contact_batches WHERE account_id = %(a)s)",
        {"a": account},
    )
    return int(counts[0]), int(counts[1])


def activity(client: Any, *columns: str) -> list[tuple[Any, ...]]:
    return list(client.execute(f"SELECT {', '.join(columns)} FROM contact_activity ORDER BY {columns[0]}"))


def test_a_batch_fills_the_activity_and_says_where_it_came_from(client: Any, insert: Insert) -> None:
    closed_at, batch = LATER + timedelta(milliseconds=70), uuid4()
    changes = [contact_change(number, START) for number in (1, 2)]
    assert not insert(contact_batch(*changes, id=batch, closed_at=closed_at))
    assert activity(client, "event_id", "contact_id", "window_start", "window_end", "contact_batch_id") == [
        (event_id(number), "c", START, LATER, batch) for number in (1, 2)
    ]
    (stored,) = query(client, "SELECT * FROM contact_batches FINAL")
    assert stored == {
        "batch_id": batch,
        "account_id": "a",
        "contact_id": "c",
        "window_start": START,
        "window_end": LATER,
        "topic": "audit.contact-changes.v1",
        "partition": 3,
        "first_offset": 100,
        "last_offset": 101,
        "changes": 2,
        "closed_at": closed_at,
        "extra": "",
    }


def test_a_change_looks_in_the_activity_as_it_does_in_the_log(
    client: Any, clickhouse: ClickHouse, insert: Insert
) -> None:
    change = contact_change(1, START, notes=("noted",), extra='{"later":1.10}', idempotency_key="k")
    sinking.insert(clickhouse, topics.EVENTS.name, encode(change))
    insert(contact_batch(change))
    (logged,) = query(client, "SELECT * EXCEPT stored_at FROM audit_log")
    (synced,) = query(client, "SELECT * EXCEPT stored_at FROM contact_activity")
    assert [name for name in synced if name in logged] == list(logged)
    assert {name: synced[name] for name in logged} == logged
    assert synced["contact_id"] == "c"


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_earliest_window_wins_and_then_the_earliest_receipt(
    order: tuple[int, ...], merged: bool, client: Any, insert: Insert
) -> None:
    copies = [
        contact_change(1, START, description="winner"),
        contact_change(
            1, START, description="repeat", received_at=START + timedelta(seconds=1, milliseconds=1)
        ),
        contact_change(1, LATER, description="resend", catalogue_version=2),
    ]
    for offset, place in enumerate(order):
        insert(contact_batch(copies[place]), first=offset)
    if merged:
        client.execute("OPTIMIZE TABLE contact_events FINAL")
    assert activity(client, "description", "window_start") == [("winner", START)]
    assert rows(client) == ((1 if merged else 3), 3)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_of_live_and_imported_copies_the_earliest_receipt_wins(
    order: tuple[int, ...], client: Any, insert: Insert
) -> None:
    copies = [
        contact_change(1, None, description="import", received_at=LATER),
        contact_change(1, None, description="repeat", received_at=LATER + timedelta(seconds=1)),
        contact_change(1, START, description="live"),
    ]
    for offset, place in enumerate(order):
        insert(contact_batch(copies[place]), first=offset)
    assert activity(client, "description", "window_start") == [("live", START)]


def test_a_replayed_block_doubles_nothing_in_either_table(client: Any, insert: Insert) -> None:
    years = (datetime(year, 6, 1, tzinfo=UTC) for year in range(2020, 2026))
    history = [contact_change(number, None, occurred_at=at) for number, at in enumerate(years)]
    block = [contact_batch(*history), contact_batch(*(contact_change(n, START) for n in range(10, 310)))]
    for _ in range(2):
        assert not insert(*block)
        assert rows(client) == (306, 2)


def test_blocks_that_are_cut_anew_after_a_rewind_change_nothing_that_is_read(
    client: Any, insert: Insert
) -> None:
    batches = [contact_batch(contact_change(number, START)) for number in range(4)]
    insert(*batches)
    for number, batch in enumerate(batches):
        insert(batch, first=number)
    assert rows(client) == (8, 8)
    assert activity(client, "event_id") == [(event_id(number),) for number in range(4)]
    assert client.execute("SELECT count() FROM contact_batches FINAL") == [(4,)]


def test_an_insert_that_was_interrupted_between_its_tables_is_completed(client: Any, insert: Insert) -> None:
    block = [contact_batch(contact_change(1, START), contact_change(2, START))]
    client.execute(
        CONTACT_EVENTS.insert,
        [block],
        columnar=True,
        settings={
            "insert_deduplication_token": journal.token("t", 0, [0], "contact_events"),
            "strings_as_bytes": True,
            "async_insert": 0,
        },
    )
    assert rows(client) == (2, 0)
    insert(*block)
    assert rows(client) == (2, 1)


def test_a_batch_with_an_event_that_the_server_refuses_is_refused_whole_and_alone(
    client: Any, insert: Insert
) -> None:
    early = contact_change(3, START, occurred_at=datetime(1970, 1, 1, tzinfo=UTC))
    batches = [
        contact_batch(contact_change(1, START)),
        contact_batch(contact_change(2, START), early),
        contact_batch(contact_change(4, START)),
    ]
    assert [refusal.record for refusal in insert(*batches)] == [1]
    assert activity(client, "event_id") == [(event_id(1),), (event_id(4),)]
    assert client.execute("SELECT count() FROM contact_batches") == [(2,)]


def test_unknown_fields_are_kept_with_what_they_belong_to(client: Any, insert: Insert) -> None:
    batch = json.loads(contact_batch(contact_change(1, START), contact_change(2, START)))
    batch["shard"] = 7
    batch["events"][1]["risk"] = {"score": 3}
    assert not insert(read_batch(encode(batch)))
    assert activity(client, "event_id", "extra") == [(event_id(1), ""), (event_id(2), '{"risk":{"score":3}}')]
    assert client.execute("SELECT extra FROM contact_batches") == [('{"shard":7}',)]


def test_two_accounts_with_the_same_contact_and_the_same_event_id_stay_apart(
    client: Any, insert: Insert
) -> None:
    insert(
        *(contact_batch(contact_change(1, START, account=account, description=account)) for account in "ab")
    )
    client.execute("OPTIMIZE TABLE contact_events FINAL")
    assert activity(client, "account_id", "description") == [("a", "a"), ("b", "b")]


def test_a_batch_of_16_mib_with_12_000_events_goes_through_a_sink_bounded_to_less(
    stack: Any, stacked: Any
) -> None:
    filler = json.dumps("x" * 150)
    changes = (
        contact_change(n, START, account="large", metadata=f'{{"filler":{filler}}}') for n in range(12_000)
    )
    large = contact_batch(*changes)
    assert len(large) > 16 * topics.MIB
    small = [contact_batch(contact_change(n, START, account="large")) for n in (12_001, 12_002)]
    with running_sink(stack.environment, sink_bytes=str(topics.MIB)):
        publish(stack.kafka, BATCHES, [small[0], large, small[1]], key="one partition")
        wait_until(lambda: rows(stacked, "large") == (12_002, 3), seconds=60, about="12,002 changes stored")
    assert stacked.execute("SELECT max(changes) FROM contact_batches WHERE account_id = 'large'") == [
        (12_000,)
    ]


def test_a_batch_with_one_bad_event_is_a_dead_letter_and_the_others_are_stored(
    stack: Any, stacked: Any
) -> None:
    bad = json.loads(contact_batch(*(contact_change(n, START, account="bad") for n in (1, 2))))
    del bad["events"][1]["target"]
    foreign = contact_batch(
        contact_change(3, START, account="bad"), contact_change(4, START, account="another")
    )
    good = contact_batch(contact_change(5, START, account="bad"))
    begin = datetime.now(UTC)
    letters = (
        "SELECT reason, count() FROM dead_letters FINAL "
        f"WHERE topic = '{BATCHES}' AND received_at >= '{begin:%F %T}' GROUP BY reason"
    )
    with running_sink(stack.environment):
        publish(stack.kafka, BATCHES, [encode(bad), foreign, b"{", good], key="one partition")
        wait_until(lambda: rows(stacked, "bad") == (1, 1), seconds=30, about="the good batch stored")
        expected = {"invalid": 2, "malformed": 1}
        wait_until(lambda: dict(stacked.execute(letters)) == expected, seconds=10, about="3 dead letters")
    details = stacked.execute(
        f"SELECT detail FROM dead_letters FINAL WHERE topic = '{BATCHES}' AND detail != ''"
    )
    assert any("events[1]" in detail for (detail,) in details)


def test_trace_follows_a_contacts_change_into_its_activity(stack: Any, stacked: Any) -> None:
    def trace() -> tuple[int, dict[str, Any]]:
        done = subprocess.run(
            [AUDIT, "trace", str(change.id), "--json"],
            env={**os.environ, **stack.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, {stage["name"]: stage for stage in json.loads(done.stdout)["stages"]}

    now = datetime.now(UTC).replace(microsecond=0)
    change = contact_change(1, now, account="traced", id=event_id(77, now), occurred_at=now)
    with running_sink(stack.environment):
        publish(stack.kafka, topics.EVENTS.name, [encode(change)])
        log = "SELECT count() FROM audit_log WHERE account_id = 'traced'"
        wait_until(lambda: stacked.execute(log) == [(1,)], seconds=30, about="the event stored")
        code, stages = trace()
        assert (code, stages["contact_activity"]["pending"]) == (0, True)
        assert stages["contact_activity"]["about"].startswith("pending until ")
        batch = uuid4()
        publish(stack.kafka, BATCHES, [contact_batch(change, id=batch)])
        wait_until(lambda: rows(stacked, "traced") == (1, 1), seconds=30, about="the batch stored")
    code, stages = trace()
    assert (code, stages["contact_activity"]["found"]) == (0, True)
    assert stages["contact_activity"]["details"]["contact_batch_id"] == str(batch)
    assert topics.CONTACT_CHANGES.name in stages


def test_kill_9_at_random_loses_and_doubles_no_batch(stack: Any, stacked: Any) -> None:
    batches, changes, chance = 1_000, 10, random.Random(11)
    sink = start_sink(stack.environment, sink_instance="killed with batches", sink_rows="100")
    for part in range(5):
        numbers = range(part * batches // 5, (part + 1) * batches // 5)
        made = (
            contact_batch(*(contact_change(n * changes + c, START, account="killed") for c in range(changes)))
            for n in numbers
        )
        publish(stack.kafka, BATCHES, made)
        time.sleep(chance.uniform(0, 0.5))
        sink.kill()
        sink.wait()
        sink = start_sink(stack.environment, sink_instance="killed with batches", sink_rows="100")
    try:
        everything = (batches * changes, batches)
        wait_until(lambda: rows(stacked, "killed") >= everything, seconds=60, about="all batches stored")
    finally:
        sink.terminate()
        sink.wait()
    assert rows(stacked, "killed") == everything
    (distinct,) = stacked.execute(
        "SELECT uniqExact(event_id) FROM contact_events WHERE account_id = 'killed'"
    )
    assert distinct == (batches * changes,)
