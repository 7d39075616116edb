"""The check of the producers' numbers, on records that lie in Kafka and rows made by hand."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from appending import Appended, Changes, Stored, letter, row_of

from audit_producers.ids import uuid7
from audit_schemas.settings import ClickHouse
from audit_schemas.topics import CHANGES, EVENTS
from audit_schemas.wire import encode
from audit_sinks.clickhouse import connect
from audit_sinks.verification.checking import Checked, Scope, Sources
from audit_sinks.verification.producer_check import check_producers

LONG_AGO = timedelta(minutes=30)


@pytest.fixture
def client(clickhouse: ClickHouse) -> Iterator[Any]:
    with connect(clickhouse) as client:
        for table in ("audit_events", "dead_letters", "partition_marks", "producer_records"):
            client.execute(f"TRUNCATE TABLE {table}")
        yield client


@pytest.fixture
def stored(client: Any, clickhouse: ClickHouse) -> Stored:  # noqa: ARG001 - emptied first
    return Stored(clickhouse)


@pytest.fixture(scope="module")
def changes(stack: Any) -> Changes:
    return Changes(stack.kafka)


@pytest.fixture
def check(stack: Any, client: Any) -> Any:
    """Checks as somebody who comes half an hour later, when all is stored."""

    def checked(*, later: timedelta = LONG_AGO, **scope: Any) -> Checked:
        now = datetime.now(UTC) + later
        sources = Sources(client=client, kafka=stack.kafka, now=now, complete_through=now)
        return check_producers(sources, Scope(**scope))

    return checked


class Process:
    """A publishing process: its events lie in Kafka, and are stored unless a test leaves them out."""

    def __init__(self, changes: Changes, stored: Stored, *, account: str = "a") -> None:
        self.instance = str(uuid7())
        self._changes, self._stored, self._account = changes, stored, account

    def events(self, *numbers: int, store: bool = True, **given: Any) -> list[Appended]:
        given = {"account": self._account, **given}
        records = [self._changes.event(instance=self.instance, number=one, **given) for one in numbers]
        if store and records:
            self._stored.events(*records)
        return records

    def tells(self, kind: str, sequence: int, acknowledged: int | None = None, **given: Any) -> None:
        record: Mapping[str, Any] = {
            "service": "helpdesk",
            "instance": self.instance,
            "kind": kind,
            "sequence": sequence,
            "acknowledged": acknowledged,
            "at": datetime.now(UTC).isoformat(),
            **given,
        }
        self._stored.producer_records(record)


@pytest.fixture
def mark_all(changes: Changes, stored: Stored) -> Callable[[], None]:
    """Says of each partition that all of it is stored."""
    return lambda: stored.marks(*(changes.tick(partition) for partition in range(4)))


@pytest.fixture
def process(changes: Changes, stored: Stored) -> Process:
    made = Process(changes, stored)
    made.tells("start", 0, 0)
    return made


def missing(found: Checked) -> list[str]:
    fault = found.faults["missing"]
    assert bool(fault.events) == bool(fault.examples)
    return [f"{gap.first}-{gap.last}" for gap in fault.examples]


def notes(found: Checked) -> dict[str, int]:
    return {kind: note.events for kind, note in found.notes.items() if note.events}


def delete(client: Any, *records: Appended) -> None:
    client.execute(
        "ALTER TABLE audit_events DELETE WHERE event_id IN %(ids)s SETTINGS mutations_sync = 1",
        {"ids": [one.id for one in records]},
    )


def test_a_process_whose_numbers_are_all_there_is_fine(check: Any, process: Process) -> None:
    process.events(1, 2, 3)
    process.tells("stop", 3, 3)
    found = check()
    assert (found.checked, missing(found), notes(found)) == (3, [], {})


def test_a_row_that_was_deleted_is_missing_between_its_neighbours(
    check: Any, client: Any, mark_all: Any, process: Process
) -> None:
    events = process.events(*range(1, 9))
    process.tells("stop", 8, 8)
    mark_all()
    delete(client, *events[2:4], events[7])
    found = check()
    assert missing(found) == ["3-4", "8-8"]
    fault = found.faults["missing"]
    assert (fault.events, fault.earliest) == (3, events[1].received_at)
    text = str(fault.examples[0])
    assert text.startswith(f"numbers 3-4 of helpdesk {process.instance}: after {events[1].received_at:%F %T}")


def test_a_process_of_which_nothing_came_is_missing_from_the_first_number(
    check: Any, process: Process
) -> None:
    process.tells("stop", 5, 5)
    assert missing(check()) == ["1-5"]


def test_a_number_in_a_dead_letter_is_not_missing(check: Any, stored: Stored, process: Process) -> None:
    process.events(1, 4)
    (by_processor, by_sink) = process.events(2, 3, store=False)
    stored.dead_letters(
        letter(by_processor, CHANGES.name, by_processor.value, offset=by_processor.offset),
        letter(by_sink, EVENTS.name, encode(row_of(by_sink)), offset=1),
    )
    process.tells("stop", 4, 4)
    assert missing(check()) == []


def test_numbers_are_found_though_the_process_began_by_a_clock_that_was_ahead(
    check: Any, changes: Changes, stored: Stored, mark_all: Any
) -> None:
    process, ahead = Process(changes, stored), datetime.now(UTC) + timedelta(days=3)
    process.instance = str(UUID(int=int(ahead.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62))
    process.tells("start", 0, 0, at=ahead)
    process.events(1, 3)
    (refused,) = process.events(2, store=False)
    stored.dead_letters(letter(refused, CHANGES.name, refused.value, offset=refused.offset))
    process.tells("stop", 3, 3, at=ahead)
    mark_all()
    assert missing(check(later=timedelta(days=4))) == []


def test_numbers_of_a_resend_of_which_the_first_row_stays_are_not_missing(
    check: Any, client: Any, changes: Changes, stored: Stored, mark_all: Any, process: Process
) -> None:
    first = process.events(1, 2)
    process.tells("stop", 2, 2)
    again = Process(changes, stored)
    for number, one in enumerate(first, 1):
        again.events(number, id=str(one.id), occurred_at=one.body["occurred_at"])
    again.events(3)
    again.tells("stop", 3, 3)
    client.execute("OPTIMIZE TABLE audit_events FINAL")
    mark_all()
    assert client.execute("SELECT count() FROM audit_events") == [(3,)]
    assert missing(check()) == []


def test_of_a_killed_process_only_what_was_acknowledged_is_owed(
    check: Any, client: Any, mark_all: Any, process: Process
) -> None:
    events = process.events(*range(1, 7))
    process.tells("heartbeat", 6, 6)
    process.tells("heartbeat", 12, 9)
    process.events(7, 8, 10, 14)
    found = check()
    # Of 7 to 12 three may be missing, and are; 13 was never told of.
    assert (missing(found), notes(found)) == ([], {"never_acknowledged": 4})
    mark_all()
    delete(client, events[4])
    assert missing(check()) == ["5-5"]


def test_more_missing_than_was_not_acknowledged_is_lost_in_part(
    check: Any, client: Any, mark_all: Any, process: Process
) -> None:
    events = process.events(*range(1, 10))
    process.tells("heartbeat", 10, 9)
    mark_all()
    assert missing(check()) == []
    delete(client, events[3], events[4])
    found = check()
    assert (missing(found), found.faults["missing"].events) == (["4-5", "10-10"], 2)


def test_numbers_of_a_process_that_lives_are_on_their_way(check: Any, process: Process) -> None:
    process.events(1, 2, 4)
    process.tells("heartbeat", 6, 3)
    found = check(later=timedelta(minutes=2))
    assert (missing(found), notes(found)) == ([], {"on_the_way": 3})


def test_an_older_producer_owes_what_lies_below_a_stored_number_and_all_that_it_told_as_it_stopped(
    check: Any, changes: Changes, stored: Stored
) -> None:
    killed, stopped = Process(changes, stored), Process(changes, stored)
    killed.events(1, 3)
    killed.tells("heartbeat", 5)
    assert missing(check()) == ["2-2"]
    killed.events(2)
    stopped.events(1, 2)
    stopped.tells("stop", 3)
    assert missing(check()) == ["3-3"]


def test_a_number_on_two_events_is_there_twice(check: Any, stored: Stored, process: Process) -> None:
    (one,) = process.events(1)
    stored.events(one)
    process.tells("stop", 2, 2)
    two, three = process.events(2, 2)
    fault = check().faults["twice"]
    assert fault.events == 1
    assert (fault.examples[0].number, set(fault.examples[0].events)) == (2, {str(two.id), str(three.id)})


def test_numbers_run_over_the_accounts_of_a_process(
    check: Any, client: Any, mark_all: Any, process: Process
) -> None:
    process.events(1, 3, account="a")
    (other,) = process.events(2, account="b")
    process.tells("stop", 3, 3)
    mark_all()
    assert missing(check(accounts=("a",))) == []
    delete(client, other)
    assert missing(check(accounts=("a",))) == ["2-2"]
    assert missing(check(accounts=("c",))) == []


def test_a_number_just_outside_the_scope_is_no_gap_and_a_gap_at_its_edge_is_found(
    check: Any, client: Any, changes: Changes, mark_all: Any, process: Process
) -> None:
    before = process.events(1, 2)
    while changes.tick().received_at <= before[1].received_at:
        pass
    within = process.events(3, 4)
    since = within[0].received_at
    process.tells("heartbeat", 4, 4)
    mark_all()
    assert missing(check(since=since)) == []
    delete(client, within[0])
    assert missing(check(since=since)) == ["3-3"]
    delete(client, before[0])
    assert missing(check(since=since)) == ["3-3"]
    assert "1-1" in missing(check(until=since))


def test_an_acknowledged_event_that_lies_behind_the_newest_mark_is_on_its_way(
    check: Any, mark_all: Any, process: Process
) -> None:
    process.events(1)
    mark_all()
    process.events(2, store=False)
    process.tells("stop", 2, 2)
    found = check()
    assert (missing(found), notes(found)) == ([], {"on_the_way": 1})
