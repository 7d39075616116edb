"""`audit verify` and the view sync_status against states made by hand: each count is exact."""

import json
import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sinking
from command import AUDIT
from enriching import contact_batch, contact_change, enriched, event_id

from audit_schemas import topics
from audit_schemas.enriched import EnrichedEvent
from audit_schemas.settings import ClickHouse
from audit_schemas.wire import encode
from audit_sinks import sync
from audit_sinks.clickhouse import query
from audit_sinks.verification.checking import Checked, Fault, Scope, Sources
from audit_sinks.verification.contact_check import check_contact_activity

HOUR = timedelta(hours=1)
WINDOW = 3 * HOUR
NOTHING = Fault(events=0, examples=[])
AT_ONCE = Scope(grace=timedelta(0))


class State:
    """What the sink has stored of each of its topics."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        self._clickhouse = clickhouse
        self._offset = 0

    def logged(self, *events: EnrichedEvent) -> None:
        self._insert(topics.EVENTS.name, *map(encode, events))

    def synced(self, *events: EnrichedEvent) -> None:
        self._insert(topics.CONTACT_BATCHES.name, *map(contact_batch, events))

    def both(self, *events: EnrichedEvent) -> None:
        self.logged(*events)
        self.synced(*events)

    def _insert(self, topic: str, *payloads: bytes) -> None:
        assert not sinking.insert(self._clickhouse, topic, *payloads, first=self._offset)
        self._offset += len(payloads)


@pytest.fixture
def state(client: Any, clickhouse: ClickHouse) -> State:  # noqa: ARG001 - emptied first
    return State(clickhouse)


def boundary(length: timedelta = WINDOW) -> datetime:
    """Start of the current window."""
    now = datetime.now(UTC).timestamp()
    return datetime.fromtimestamp(now - now % length.total_seconds(), UTC)


def change(number: int, start: datetime | None, **given: Any) -> EnrichedEvent:
    """A contact's change that happened as its window began, history an hour ago."""
    times = {"occurred_at": start or datetime.now(UTC) - HOUR, **given}
    if start is None:
        times.setdefault("received_at", times["occurred_at"] + timedelta(seconds=1))
    return contact_change(number, start, **times)


def ids(*numbers: int) -> Fault:
    return Fault(events=len(numbers), examples=sorted(map(event_id, numbers)))


def checked(count: int, **faults: Fault) -> Checked:
    kinds = ("missing", "twice", "in_another_window", "unlogged")
    return Checked(checked=count, faults={kind: faults.get(kind, NOTHING) for kind in kinds})


def contacts(client: Any, scope: Scope) -> Checked:
    sources = Sources(client=client, kafka="", now=datetime.now(UTC))
    found = check_contact_activity(sources, scope)
    faults = {kind: replace(fault, earliest=None) for kind, fault in found.faults.items()}
    return replace(found, faults=faults)


def status(client: Any) -> dict[str, dict[str, Any]]:
    return {row.pop("account_id"): row for row in query(client, "SELECT * FROM sync_status")}


def test_what_is_as_it_should_be_is_fine_and_counted(client: Any, state: State) -> None:
    last = boundary() - WINDOW
    state.both(change(1, last), change(2, None), change(3, last, account="b"))
    state.logged(enriched(4, module="settings"), change(5, boundary()))
    assert contacts(client, AT_ONCE) == checked(3)


def test_a_change_of_a_closed_window_and_history_that_are_not_in_the_activity_are_missing(
    client: Any, state: State
) -> None:
    last = boundary() - WINDOW
    state.both(change(1, last), change(2, None))
    state.logged(change(3, last), change(4, None), change(5, boundary()))
    assert contacts(client, AT_ONCE) == checked(4, missing=ids(3, 4))


def test_what_is_due_has_the_grace_to_be_stored(client: Any, state: State) -> None:
    state.logged(change(1, boundary() - WINDOW))
    state.logged(change(2, None, received_at=datetime.now(UTC) - timedelta(seconds=30)))
    assert contacts(client, AT_ONCE) == checked(2, missing=ids(1, 2))
    assert contacts(client, Scope(grace=2 * WINDOW)) == checked(0)


def test_an_event_in_two_rows_of_the_view_is_there_twice(client: Any, state: State) -> None:
    last = boundary() - WINDOW
    state.both(change(1, last), change(2, last))
    state.synced(change(2, last, contact="another"))
    assert contacts(client, AT_ONCE) == checked(2, twice=ids(2))


def test_an_event_in_a_window_that_is_not_the_logs_is_told(client: Any, state: State) -> None:
    last = boundary() - WINDOW
    state.both(change(1, last))
    state.logged(change(2, last), change(3, last), change(4, last), change(5, last))
    state.synced(
        change(2, last + WINDOW),
        change(3, last - WINDOW, received_at=last + timedelta(seconds=1)),
        change(4, last, hours=1),
        change(5, None, received_at=last + timedelta(seconds=1), recorded="live", occurred_at=last),
    )
    assert contacts(client, AT_ONCE) == checked(5, in_another_window=ids(2, 3, 4, 5))


def test_an_earlier_copy_in_the_activity_than_in_the_log_is_right(client: Any, state: State) -> None:
    last, earlier = boundary() - WINDOW, boundary() - 2 * WINDOW
    resend = change(1, last, catalogue_version=2, occurred_at=earlier)
    state.both(change(1, earlier), resend)
    state.both(change(2, earlier), change(2, None, occurred_at=earlier, received_at=last))
    assert client.execute("SELECT window_start FROM audit_log ORDER BY event_id") == [(last,), (earlier,)]
    assert contacts(client, AT_ONCE) == checked(2)


def test_what_is_in_the_activity_and_not_in_the_log_is_unlogged(client: Any, state: State) -> None:
    last = boundary() - 2 * WINDOW
    state.both(change(1, last))
    state.synced(change(2, last), change(1, last, account="b"))
    assert contacts(client, AT_ONCE) == checked(1, unlogged=ids(1, 2))
    assert contacts(client, Scope(grace=HOUR)) == checked(1)


def test_repeats_that_are_not_merged_yet_are_no_fault(client: Any, state: State) -> None:
    live, history = change(1, boundary() - WINDOW), change(2, None)
    for _ in range(2):
        state.both(live, history)
    assert contacts(client, AT_ONCE) == checked(2)


def test_only_ten_examples_are_given_and_the_scope_is_kept(client: Any, state: State) -> None:
    last = boundary() - WINDOW
    state.logged(*(change(number, last) for number in range(1, 13)))
    state.logged(change(20, last, account="b"), change(21, last, account="it's"))
    state.logged(change(22, last - 30 * WINDOW))
    found = contacts(client, AT_ONCE).faults["missing"]
    assert found == Fault(events=15, examples=[event_id(number) for number in range(1, 11)])
    scope = Scope(accounts=("b", "it's"), grace=timedelta(0))
    assert contacts(client, scope) == checked(2, missing=ids(20, 21))
    scope = Scope(accounts=("a",), since=last, grace=timedelta(0))
    assert contacts(client, scope).faults["missing"].events == 12
    scope = Scope(until=last, grace=timedelta(0))
    assert contacts(client, scope) == checked(1, missing=ids(22))


def test_copies_on_both_sides_of_the_scopes_ends_are_one_event(client: Any, state: State) -> None:
    last, earlier = boundary() - WINDOW, boundary() - 3 * WINDOW
    state.both(change(1, earlier), change(2, earlier))
    state.logged(change(1, last))
    state.synced(change(2, last))
    state.logged(change(3, earlier), change(3, last))
    since = boundary() - 2 * WINDOW
    assert contacts(client, Scope(since=since, grace=timedelta(0))) == checked(2)
    assert contacts(client, Scope(until=since, grace=timedelta(0))) == checked(3, missing=ids(3))


def test_the_command_exits_with_3_and_names_what_is_wrong(
    clickhouse: ClickHouse, client: Any, stack: Any, state: State
) -> None:
    last = boundary() - WINDOW
    # What others have published to this Kafka is not asked for.
    until = ("--until", f"{last + timedelta(minutes=1):%FT%TZ}", "--grace", "0")

    def verify(*options: str) -> "subprocess.CompletedProcess[str]":
        url = stack.environment["AUDIT_CLICKHOUSE"].replace("/audit?", f"/{clickhouse.database}?")
        environment = {**os.environ, **stack.environment, "AUDIT_CLICKHOUSE": url}
        return subprocess.run(
            [AUDIT, "verify", *until, *options], env=environment, capture_output=True, text=True, check=False
        )

    state.both(change(1, last))
    assert "no mark is stored yet" in verify().stderr
    marked = "INSERT INTO partition_marks (partition, partitions, offset, received_at) VALUES"
    client.execute(marked, [(0, 1, 0, datetime.now(UTC))])
    assert verify().returncode == 0
    state.logged(change(2, last))
    done = verify("--json")
    assert (done.returncode, "contacts: 1 missing" in done.stderr) == (3, True)
    told = json.loads(done.stdout)
    assert told["fine"] is False
    missing = told["checks"]["contacts"]["faults"]["missing"]
    assert missing == {
        "events": 1,
        "examples": [str(event_id(2))],
        "earliest": f"{last + timedelta(seconds=1):%FT%TZ}",
    }
    assert str(event_id(2)) in verify().stdout
    assert verify("--account", "b").returncode == 0


def test_pending_and_overdue_changes_are_counted_for_each_account(client: Any, state: State) -> None:
    now = boundary()
    state.both(change(1, now - WINDOW), change(2, now - WINDOW, account="b"))
    state.logged(change(3, now), change(4, now), change(5, now - 3 * WINDOW), change(6, now - 2 * WINDOW))
    state.logged(change(7, now, account="b"), enriched(8, account="c"), change(9, None))
    nothing_late = {"next_sync_at": now + WINDOW, "last_closed_at": now, "overdue_changes": 0}
    assert status(client) == {
        "a": {
            "next_sync_at": now + WINDOW,
            "last_closed_at": now - 3 * WINDOW,
            "pending_changes": 4,
            "overdue_changes": 2,
        },
        "b": {**nothing_late, "pending_changes": 1},
    }


def test_a_repeat_and_a_resend_are_one_pending_change(client: Any, state: State) -> None:
    now = boundary()
    state.logged(change(1, now - 2 * WINDOW))
    state.logged(change(1, now - 2 * WINDOW))
    state.logged(change(1, now, occurred_at=now - 2 * WINDOW))
    found = status(client)["a"]
    assert (found["pending_changes"], found["overdue_changes"]) == (1, 1)


def test_a_window_that_has_just_ended_is_due_and_not_overdue(client: Any, state: State) -> None:
    # Windows of a second: the last one has ended, but not a minute ago, whatever time it is.
    ended = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=5)
    state.logged(change(1, ended, hours=1 / 3600))
    found = status(client)["a"]
    assert (found["pending_changes"], found["overdue_changes"], found["last_closed_at"]) == (1, 0, ended)


def test_another_accounts_activity_hides_no_pending_change(client: Any, state: State) -> None:
    last = boundary() - WINDOW
    state.both(change(1, last, account="b"))
    state.logged(change(1, last, account="a"))
    pending = {account: row["pending_changes"] for account, row in status(client).items()}
    assert pending == {"a": 1, "b": 0}
    (alone,) = query(client, "SELECT pending_changes FROM sync_status WHERE account_id = 'a'")
    assert alone == {"pending_changes": 1}


@pytest.mark.parametrize("days", [1, 6, 7, 8, 20])
@pytest.mark.parametrize("first", ["live", "backfill"])
def test_a_resend_of_what_is_in_the_activity_is_not_pending(
    first: str, days: int, client: Any, state: State
) -> None:
    now = boundary()
    happened = now - timedelta(days=days)
    state.both(change(1, happened if first == "live" else None, occurred_at=happened))
    state.logged(change(1, now, occurred_at=happened), change(2, now, occurred_at=happened))
    client.execute("OPTIMIZE TABLE contact_events FINAL")
    assert status(client)["a"]["pending_changes"] == 1


def test_the_next_sync_is_told_by_the_newest_windows_length(client: Any, state: State) -> None:
    state.both(change(1, boundary() - WINDOW), change(2, boundary(HOUR), hours=1))
    assert status(client)["a"]["next_sync_at"] == boundary(HOUR) + HOUR


def test_the_status_sums_the_accounts_up(client: Any, clickhouse: ClickHouse, state: State) -> None:
    assert sync.ask(client, clickhouse.database) == sync.Sync()
    now = boundary()
    state.logged(change(1, now), change(2, now, account="b"))
    assert sync.ask(client, clickhouse.database) == sync.Sync(next_sync_at=now + WINDOW, pending=2)
    state.logged(change(3, now - 2 * WINDOW, account="b"))
    expected = sync.Sync(next_sync_at=now + WINDOW, pending=3, overdue=1, complete_until=now - 2 * WINDOW)
    assert sync.ask(client, clickhouse.database) == expected
