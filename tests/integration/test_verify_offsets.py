"""The check of the log's offsets, on records that lie in Kafka and rows made by hand."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sinking
from appending import Appended, Changes, Stored, letter, row_of

from audit_schemas.settings import ClickHouse
from audit_schemas.topics import CHANGES, EVENTS
from audit_schemas.wire import encode
from audit_sinks.clickhouse import connect
from audit_sinks.verification.checking import Checked, Scope, Sources
from audit_sinks.verification.offset_check import check_offsets


@pytest.fixture
def client(clickhouse: ClickHouse) -> Iterator[Any]:
    with connect(clickhouse) as client:
        for table in ("audit_events", "dead_letters", "partition_marks"):
            client.execute(f"TRUNCATE TABLE {table}")
        yield client


@pytest.fixture
def stored(client: Any, clickhouse: ClickHouse) -> Stored:  # noqa: ARG001 - emptied first
    return Stored(clickhouse)


@pytest.fixture(scope="module")
def changes(stack: Any) -> Changes:
    return Changes(stack.kafka)


@pytest.fixture
def check(stack: Any, client: Any, changes: Changes) -> Any:
    """Checks what was received since the test began; all of that has had its time, unless told otherwise."""
    since = changes.tick(0).received_at + timedelta(milliseconds=1)
    time.sleep(0.01)

    def checked(*, now: datetime | None = None, **scope: Any) -> Checked:
        moment = now or datetime.now(UTC) + timedelta(hours=1)
        sources = Sources(client=client, kafka=stack.kafka, now=moment)
        return check_offsets(sources, Scope(**{"since": since, **scope}))

    return checked


def result(looked_at: int, *missing: Appended, waiting: int = 0, repeats: int = 0) -> Any:
    return looked_at, [one.offset for one in missing], waiting, repeats


def seen(found: Checked) -> Any:
    fault, notes = found.faults["missing"], found.notes
    assert fault.events == len(fault.examples)
    offsets = [one.offset for one in fault.examples]
    return found.checked, offsets, notes["on_the_way"].events, notes["repeats"].events


def test_rows_dead_letters_and_marks_are_traces(check: Any, changes: Changes, stored: Stored) -> None:
    first, refused = changes.event(), changes.append(b"no event")
    too_bad = changes.event()
    marked = changes.tick()
    stored.events(first)
    stored.dead_letters(
        letter(refused, CHANGES.name, b"no event", offset=refused.offset),
        letter(too_bad, EVENTS.name, encode(row_of(too_bad)), offset=7),
    )
    stored.marks(marked)
    assert seen(check()) == result(4)


def test_a_row_that_was_deleted_is_missing_and_named(
    check: Any, client: Any, changes: Changes, stored: Stored
) -> None:
    events = [changes.event(number=number) for number in range(1, 6)]
    stored.events(*events)
    stored.marks(changes.tick())
    assert seen(check()) == result(6)
    client.execute(
        "ALTER TABLE audit_events DELETE WHERE event_id IN %(ids)s SETTINGS mutations_sync = 1",
        {"ids": [events[1].id, events[4].id]},
    )
    found = check()
    assert seen(found) == result(6, events[1], events[4])
    fault = found.faults["missing"]
    assert (fault.earliest, fault.examples[0].event_id) == (events[1].received_at, events[1].id)
    text = str(fault.examples[0])
    assert f"partition 2, offset {events[1].offset}" in text
    assert f"{events[1].id}, number 2 of helpdesk i-1" in text


def test_what_lies_behind_the_newest_mark_is_on_its_way(check: Any, changes: Changes, stored: Stored) -> None:
    changes.event(3)
    stored.events(changes.event())
    stored.marks(changes.tick())
    changes.event()
    assert seen(check()) == result(2, waiting=2)


def test_a_record_younger_than_the_grace_is_on_its_way(check: Any, changes: Changes, stored: Stored) -> None:
    late = changes.append(b"its dead letter is not stored yet")
    stored.marks(changes.tick())
    assert seen(check(now=late.received_at + timedelta(seconds=59))) == result(2, waiting=1)
    assert seen(check(now=late.received_at + timedelta(seconds=61))) == result(2, late)


def test_a_tick_of_an_older_processor_leaves_no_mark_and_is_no_fault(
    check: Any, changes: Changes, stored: Stored
) -> None:
    changes.tick()
    empty = changes.append(None)
    stored.marks(changes.tick())
    assert seen(check()) == result(3, empty)


def test_a_resend_of_which_one_row_stays_is_no_fault(
    check: Any, client: Any, changes: Changes, stored: Stored
) -> None:
    first = changes.event()
    again = [changes.append(first.value) for _ in range(2)]
    stored.events(first, *again)
    client.execute("OPTIMIZE TABLE audit_events FINAL")
    stored.marks(changes.tick())
    assert seen(check()) == result(4, repeats=2)


def test_the_same_id_in_another_account_or_at_another_time_is_no_resend(
    check: Any, changes: Changes, stored: Stored
) -> None:
    first = changes.event()
    stored.events(first)
    other = [
        changes.event(id=str(first.id), occurred_at=first.body["occurred_at"], account="b"),
        changes.event(id=str(first.id)),
    ]
    stored.marks(changes.tick())
    assert seen(check()) == result(4, *other)


def test_the_scope_is_in_received_time(check: Any, changes: Changes, stored: Stored) -> None:
    before = changes.event()
    middle = changes.event()
    while (after := changes.event()).received_at <= middle.received_at:
        pass
    stored.marks(changes.tick())
    within = check(since=middle.received_at, until=after.received_at)
    offsets = [one.offset for one in within.faults["missing"].examples]
    assert middle.offset in offsets
    assert after.offset not in offsets
    assert (before.offset in offsets) == (before.received_at == middle.received_at)


def test_a_gap_of_many_thousand_offsets_is_read_through_and_counted(
    check: Any, stack: Any, changes: Changes, stored: Stored
) -> None:
    first = changes.tick(2)
    sinking.publish(stack.kafka, CHANGES.name, (b"{}" for _ in range(20_000)), key="one partition")
    marks = [changes.tick(partition) for partition in range(4)]
    stored.marks(*marks)
    found = check()
    assert found.faults["missing"].events == 20_000
    assert len(found.faults["missing"].examples) == 10
    assert found.faults["missing"].earliest is not None
    assert found.faults["missing"].earliest >= first.received_at
