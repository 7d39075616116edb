import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw

from audit_producers import (
    Actor,
    Change,
    Closed,
    Invalid,
    Origin,
    QueueFull,
    Recorder,
    Rejected,
    Settings,
    Target,
)
from audit_producers.delivery import MemoryDelivery, Record
from audit_producers.diff import apply, diff, state_of
from audit_schemas.errors import Unreachable
from audit_schemas.topics import ACCOUNTS, ACTORS, PRODUCERS, SDK_LIMIT

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
ANN = Actor.agent("7", name="Ann")
BOB = Target(type="contact", id="42", name="Bob")


@dataclass
class Contact:
    id: int
    name: str
    phone: str | None = None
    password: str = ""
    address: dict[str, Any] = field(default_factory=dict)


class Recording:
    """A recorder whose events can be looked at."""

    def __init__(self, **settings: Any) -> None:
        self.memory = MemoryDelivery(settings.pop("limit", None))
        self.rejected: list[Rejected] = []
        self.audit = Recorder(
            Settings(service="helpdesk", delivery="memory", **settings),
            delivery=self.memory,
            on_rejected=self.rejected.append,
            clock=lambda: NOON,
        )

    @property
    def event(self) -> Any:
        [event] = self.memory.events
        return event

    def told(self, topic: str) -> list[dict[str, Any]]:
        return [msgspec.json.decode(record.value) for record in self.memory.records if record.topic == topic]


@pytest.fixture
def recording() -> Iterator[Recording]:
    made = Recording()
    with made.audit.context(account="acme", actor=ANN):
        yield made
    made.audit.close()


def test_an_event_carries_what_is_bound_and_what_is_said(recording: Recording):
    recording.audit.bind(origin=Origin(address="10.0.0.1"))
    given = recording.audit.record(
        "merge",
        BOB,
        changes={"phone": ("1", None)},
        related=[Target(type="contact", id="43")],
        metadata={"ticket": 4711},
        reason="a duplicate",
        module="contacts",
    )

    event = recording.event
    assert (event.id, event.account, event.occurred_at, event.action) == (given, "acme", NOON, "merge")
    assert (event.actor.id, event.origin.address, event.target.name) == ("7", "10.0.0.1", "Bob")
    assert [(change.field, change.old, change.new) for change in event.changes] == [
        ("phone", Raw(b'"1"'), Raw(b"null"))
    ]
    assert [target.id for target in event.related] == ["43"]
    assert (event.metadata, event.reason, event.module) == (
        Raw(b'{"ticket":4711}'),
        "a duplicate",
        "contacts",
    )


def test_a_record_is_lean(recording: Recording):
    recording.audit.viewed(BOB)

    value = msgspec.json.decode(recording.memory.records[-1].value)
    assert set(value) == {"id", "account", "occurred_at", "action", "actor", "target", "producer"}
    assert value["actor"] == {"type": "agent", "id": "7", "name": "Ann"}


def test_a_record_has_the_key_and_the_headers_of_its_event(recording: Recording):
    event_id = recording.audit.viewed(BOB)

    record = recording.memory.records[-1]
    assert record.key == b"acme/contact/42"
    assert dict(record.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": str(event_id).encode(),
        "ce_source": b"/helpdesk",
        "ce_type": b"auditlane.event.v1",
        "ce_time": b"2026-01-31T12:00:00+00:00",
        "content-type": b"application/json",
    }


def test_tracking_records_one_event_with_what_the_block_changed(recording: Recording):
    contact = Contact(42, "Bob", address={"city": "Bonn", "tags": ["a"]})
    with recording.audit.tracking(contact, reason="ticket 4711"):
        contact.phone = "+1 555 0199"
        contact.address["city"] = "Berlin"
        contact.address["tags"].append("b")

    event = recording.event
    assert (event.action, event.reason, event.target.type, event.target.id) == (
        "update", "ticket 4711", "contact", "42",
    )  # fmt: skip
    assert [(change.field, change.old, change.new) for change in event.changes] == [
        ("phone", Raw(b"null"), Raw(b'"+1 555 0199"')),
        ("address.city", Raw(b'"Bonn"'), Raw(b'"Berlin"')),
        ("address.tags", Raw(b'["a"]'), Raw(b'["a","b"]')),
    ]


def test_tracking_records_nothing_when_nothing_changed_or_the_block_failed(recording: Recording):
    contact = Contact(42, "Bob")
    with recording.audit.tracking(contact):
        contact.phone = "1"
        contact.phone = None
    with suppress(ZeroDivisionError), recording.audit.tracking(contact):
        contact.phone = "1"
        _ = 1 // 0

    assert recording.memory.events == []


def test_created_and_deleted_carry_the_values(recording: Recording):
    contact = Contact(42, "Bob", phone="1")
    recording.audit.created(contact)
    recording.audit.deleted(contact)

    created, deleted = recording.memory.events
    phone = {event.action: event.changes[2] for event in (created, deleted)}
    assert (phone["create"].old, phone["create"].new) == (UNSET, Raw(b'"1"'))
    assert (phone["delete"].old, phone["delete"].new) == (Raw(b'"1"'), UNSET)


def test_updated_takes_a_snapshot_or_an_earlier_object(recording: Recording):
    contact = Contact(42, "Bob")
    before = recording.audit.snapshot(contact)
    contact.phone = "1"

    assert recording.audit.updated(contact, before=before) is not None
    assert recording.audit.updated(contact, before=Contact(42, "Bob", phone="1")) is None
    assert recording.audit.updated({"phone": "2"}, before={"phone": "1"}, target=BOB) is not None


def test_signing_in_and_out(recording: Recording):
    recording.audit.logged_in()
    recording.audit.login_failed(Actor(type="unknown", email="eve@example.com"), why="wrong password")
    recording.audit.logged_out(Actor.agent("8"))

    found = [
        (
            event.action,
            event.outcome,
            event.outcome_reason,
            event.actor.id,
            event.target.type,
            event.target.id,
        )
        for event in recording.memory.events
    ]
    assert found == [
        ("login", "success", None, "7", "agent", "7"),
        ("login", "failure", "wrong password", None, "unknown", "eve@example.com"),
        ("logout", "success", None, "8", "agent", "8"),
    ]


def test_no_secret_leaves_the_process_but_its_change_does(recording: Recording):
    contact = Contact(42, "Bob", password="hunter2", address={"door": {"pin": "hunter3"}})
    recording.audit.created(contact)
    with recording.audit.tracking(contact):
        contact.password = "hunter4"
        contact.address["door"]["pin"] = "hunter5"
    recording.audit.record(
        "update", BOB, changes={"api_key": ("hunter6", "hunter7"), "config": ({"token": "hunter8"}, None)},
        metadata={"headers": [{"Authorization": "hunter9"}]},
    )  # fmt: skip

    assert b"hunter" not in b"".join(record.value for record in recording.memory.records)
    _, updated, said = recording.memory.events
    assert [change.field for change in updated.changes] == ["password", "address.door.pin"]
    assert [change.field for change in said.changes] == ["api_key", "config"]


def test_registered_rules_apply_to_every_call(recording: Recording):
    recording.audit.register(
        Contact, type="person", redact={"phone"}, ignore={"address"}, labels={"name": "Name"}
    )
    recording.audit.created(Contact(42, "Bob", phone="hunter2"))

    event = recording.event
    assert event.target.type == "person"
    assert [(change.field, change.label) for change in event.changes] == [
        ("id", None), ("name", "Name"), ("phone", None), ("password", None),
    ]  # fmt: skip
    assert b"hunter2" not in recording.memory.records[-1].value


def test_exact_values_travel_as_text(recording: Recording):
    recording.audit.record("update", BOB, changes={"n": (2**60, 10**-3), "at": (None, NOON)})

    assert [(change.old, change.new) for change in recording.event.changes] == [
        (Raw(b'"1152921504606846976"'), Raw(b"0.001")),
        (Raw(b"null"), Raw(b'"2026-01-31T12:00:00Z"')),
    ]


def test_the_same_field_may_come_twice_and_10000_changes_fit(recording: Recording):
    many = [Change(field=f"f{number % 5000}", old=Raw(b"1"), new=Raw(b"2")) for number in range(10_000)]
    recording.audit.record("update", BOB, changes=many)

    assert len(recording.event.changes) == 10_000


def test_an_idempotency_key_gives_the_same_id_each_time(recording: Recording):
    ids = {recording.audit.record("create", BOB, idempotency_key="k", occurred_at=NOON) for _ in range(2)}

    assert len(ids) == 1
    assert ids != {recording.audit.record("create", BOB, idempotency_key="other", occurred_at=NOON)}


@pytest.mark.parametrize(
    ("about", "fault"),
    [
        ({"account": ""}, "account: "),
        ({"account": 5}, "account: "),
        ({"idempotency_key": "k"}, "needs occurred_at"),
        ({"occurred_at": datetime(2026, 1, 31)}, "occurred_at: "),  # noqa: DTZ001
        ({"metadata": {"n": float("nan")}}, "nan is no JSON number"),
        ({"metadata": ["no", "object"]}, "metadata: "),
        ({"metadata": {"text": "\ud800"}}, "cannot be written as JSON"),
        ({"outcome": "perhaps"}, "outcome: "),
        ({"actor": "Ann"}, "actor: "),
        ({"colour": "red"}, "colour: "),
        ({"metadata": {"blob": "x" * SDK_LIMIT}}, "bytes; at most"),
    ],
)
def test_a_bad_event_is_counted_logged_once_and_handed_on(
    recording: Recording, caplog: pytest.LogCaptureFixture, about: Any, fault: str
):
    with caplog.at_level(logging.ERROR):
        assert recording.audit.record("update", BOB, **about) is None
        assert recording.audit.record("update", BOB, **about) is None
    good = recording.audit.viewed(BOB)

    assert [fault in rejected.error.message for rejected in recording.rejected] == [True, True]
    assert recording.rejected[0].said["target"] is BOB
    assert recording.audit.stats.rejected == 2
    assert len(caplog.records) == 1
    assert recording.event.id == good
    assert recording.event.producer.sequence == 1


def test_a_strict_recorder_raises_for_a_bad_event():
    recording = Recording(strict=True)

    with pytest.raises(Invalid, match="account"):
        recording.audit.viewed(BOB)
    recording.audit.close()


def test_an_object_that_raises_does_not_reach_the_service(recording: Recording):
    class Broken:
        id = 1

        @property
        def name(self) -> str:
            raise RuntimeError("database is gone")

    with recording.audit.tracking({"a": 1}):
        pass
    recording.audit.viewed(Broken())

    assert [rejected.error.message for rejected in recording.rejected] == ["RuntimeError: database is gone"]


def test_a_full_queue_is_seen_and_takes_no_number():
    recording = Recording(limit=2, block_seconds=0)
    with recording.audit.context(account="acme"):
        recording.audit.viewed(BOB)
        with pytest.raises(QueueFull):
            recording.audit.viewed(BOB)
        recording.memory.clear()
        recording.audit.viewed(BOB)

    assert recording.event.producer.sequence == 2
    assert recording.audit.stats.refused == 1


def test_a_call_waits_for_room_as_long_as_it_may():
    recording = Recording(limit=2, block_seconds=10)
    with recording.audit.context(account="acme"):
        recording.audit.viewed(BOB)
        threading.Timer(0.1, recording.memory.clear).start()
        recording.audit.viewed(BOB)

    assert recording.event.producer.sequence == 2


def test_events_are_numbered_without_a_gap_from_many_threads(recording: Recording):
    def work() -> None:
        for _ in range(200):
            recording.audit.viewed(BOB, account="acme")
            recording.audit.viewed(BOB, account="")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [event.producer.sequence for event in recording.memory.events] == list(range(1, 801))


def test_a_process_tells_its_start_its_life_and_its_end():
    recording = Recording(heartbeat_seconds=0.02)
    with recording.audit.context(account="acme"):
        recording.audit.viewed(BOB)
        recording.audit.viewed(BOB)
    while len(recording.told(PRODUCERS.name)) < 3:
        threading.Event().wait(0.01)
    recording.audit.close()

    start, *heartbeats, stop = recording.told(PRODUCERS.name)
    assert (start["kind"], start["sequence"]) == ("start", 0)
    assert {(told["kind"], told["sequence"]) for told in heartbeats} == {("heartbeat", 2)}
    assert (stop["kind"], stop["sequence"]) == ("stop", 2)
    assert {told["instance"] for told in (start, stop)} == {recording.memory.events[0].producer.instance}


class Slow(MemoryDelivery):
    """Acknowledges only what is asked for, at most so many, as it is flushed."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def offer(self, record: Record) -> None:
        super().offer(record)
        self.stats.acknowledged = 0

    def flush(self, timeout: float) -> int:  # noqa: ARG002 - the protocol's
        self.stats.acknowledged = min(self.most, self.stats.accepted)
        return self.stats.accepted - self.stats.acknowledged


def told(delivery: MemoryDelivery) -> list[tuple[str, int, int | None]]:
    records = [msgspec.json.decode(one.value) for one in delivery.records if one.topic == PRODUCERS.name]
    return [(one["kind"], one["sequence"], one["acknowledged"]) for one in records]


@pytest.mark.parametrize(("most", "at_the_end"), [(9, 2), (1, 1)])
def test_the_stop_waits_for_acknowledgements_and_says_how_many_came(most: int, at_the_end: int):
    delivery = Slow(most)
    recorder = Recorder(Settings(service="s", delivery="memory", heartbeat_seconds=0.02), delivery=delivery)
    recorder.record("view", BOB, account="acme")
    recorder.record("view", BOB, account="acme")
    while len(told(delivery)) < 2:
        threading.Event().wait(0.01)
    recorder.close()

    start, *heartbeats, stop = told(delivery)
    assert (start, {*heartbeats}, stop) == (("start", 0, 0), {("heartbeat", 2, 0)}, ("stop", 2, at_the_end))


def test_a_process_that_shares_its_delivery_does_not_say_how_many_of_its_events_were_acknowledged():
    delivery = MemoryDelivery()
    settings = Settings(service="s", delivery="memory")
    first = Recorder(settings, delivery=delivery)
    first.record("view", BOB, account="acme")
    second = Recorder(settings, delivery=delivery)
    second.record("view", BOB, account="acme")
    first.close()
    second.close()

    assert told(delivery) == [("start", 0, 0), ("start", 0, 0), ("stop", 1, None), ("stop", 1, 1)]


def test_a_recorder_that_recorded_nothing_says_nothing():
    recording = Recording()
    recording.audit.close()

    assert recording.memory.records == []


def test_a_closed_recorder_says_so():
    recording = Recording()
    recording.audit.close()

    with pytest.raises(Closed):
        recording.audit.viewed(BOB, account="acme")


def test_the_directory_is_published_lean_and_by_key(recording: Recording):
    recording.audit.set_account("acme", plan="pro", zone="Europe/Berlin")
    recording.audit.set_actor("acme", "7", name="Ann", permissions=("View Audit logs",))

    at = "2026-01-31T12:00:00Z"
    assert recording.told(ACCOUNTS.name) == [
        {"id": "acme", "plan": "pro", "zone": "Europe/Berlin", "updated_at": at}
    ]
    assert recording.told(ACTORS.name) == [
        {"account": "acme", "id": "7", "name": "Ann", "permissions": ["View Audit logs"], "updated_at": at}
    ]
    assert [record.key for record in recording.memory.records] == [b"acme", b"acme/7"]


def test_a_bad_entry_of_the_directory_is_rejected(recording: Recording):
    recording.audit.set_account("acme", zone="Atlantis")

    assert "zone: 'Atlantis' is no time zone" in recording.rejected[0].error.message
    assert recording.memory.records == []


def test_flush_can_be_awaited(recording: Recording):
    recording.audit.viewed(BOB)

    assert asyncio.run(recording.audit.aflush(1)) == 0


VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.text(st.characters(codec="utf-8"), max_size=5)
)
OBJECTS = st.dictionaries(
    st.text("abc", min_size=1, max_size=2),
    VALUES | st.dictionaries(st.text("xy", max_size=2), VALUES),
    max_size=4,
)


@given(st.lists(OBJECTS, min_size=2, max_size=6))
def test_replaying_the_recorded_changes_over_the_first_state_gives_the_last(history: list[dict[str, Any]]):
    recording = Recording()
    for before, after in pairwise(history):
        recording.audit.updated(after, before=before, target=BOB, account="acme")
    recording.audit.close()

    state: Any = history[0]
    for event in recording.memory.events:
        for change in event.changes:
            state = _applied(state, change)
    assert diff(state_of(state), state_of(history[-1])) == []
    assert apply(state_of(state), []) == state_of(state)


def _applied(state: dict[str, Any], change: Any) -> dict[str, Any]:
    name, _, rest = change.field.partition(".")
    name = "" if name == "\\e" else name
    if rest:
        return {**state, name: _applied(state[name], msgspec.structs.replace(change, field=rest))}
    if change.new is UNSET:
        return {key: value for key, value in state.items() if key != name}
    return {**state, name: msgspec.json.decode(change.new)}


def test_closing_hands_back_what_is_left_though_the_client_has_failed():
    class Failed(MemoryDelivery):
        closed = 0

        def offer(self, record):
            if self.records:
                raise Unreachable("the client has failed")
            super().offer(record)

        def close(self, timeout):  # noqa: ARG002 - the protocol's
            self.closed += 1
            return 7

    delivery = Failed()
    recorder = Recorder(Settings(service="s", delivery="memory"), delivery=delivery)
    with pytest.raises(Unreachable):
        recorder.record("view", Target(type="contact", id="1"), account="acme")

    recorder.close()

    assert delivery.closed == 1
