"""Contact batches: whose they are, what is in them, and when two are the same."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from enriching import enriched, message
from hypothesis import given
from hypothesis import strategies as st

from audit_schemas.contact_batch import ContactBatch
from audit_schemas.dead_letter import DeadLetter
from audit_schemas.event import Target
from audit_schemas.topics import CONTACT_BATCHES, CONTACT_CHANGES, DEAD_LETTERS
from audit_schemas.wire import encode, struct_of
from audit_stream_processors.transport import Run
from audit_stream_processors.windows import batches as module
from audit_stream_processors.windows.batches import Change, batches
from audit_stream_processors.windows.closing import closer
from audit_stream_processors.windows.ticks import pause_until_next

TOPIC = CONTACT_CHANGES.name
NOW = datetime(2026, 3, 2, 12, 0, 0, 70_000, tzinfo=UTC)


def change(offset: int, contact: str = "c-1", *, account: str = "acme", window: int = 10_800) -> Change:
    event = enriched(
        offset,
        account=account,
        target=Target(type="contact", id=contact),
        window=window,
        window_end=window + 10_800,
    )
    return Change(offset, event, encode(event))


def made(*changes: Change) -> list[dict[str, Any]]:
    return [json.loads(batch.value) for batch in batches(changes, TOPIC, 2, NOW)]


def places(*changes: Change) -> list[tuple[str, str, int, list[int]]]:
    return [
        (
            found["account"],
            found["contact"],
            found["window"],
            [event["source_offset"] for event in found["events"]],
        )
        for found in made(*changes)
    ]


def test_a_batch_is_what_its_definition_says() -> None:
    (batch,) = batches([change(7)], TOPIC, 2, NOW)
    read: Any = msgspec.json.decode(batch.value, type=struct_of(ContactBatch, strict=True))
    assert (
        read.account, read.contact, read.window, read.window_end, read.topic, read.partition,
        read.first_offset, read.last_offset, read.closed_at,
    ) == ("acme", "c-1", 10_800, 21_600, TOPIC, 2, 7, 7, NOW)  # fmt: skip
    assert [encode(read.events[0])] == [
        encode(msgspec.json.decode(change(7).value, type=type(read.events[0])))
    ]


def test_changes_are_grouped_by_account_contact_and_window_and_keep_their_order() -> None:
    assert places(
        change(1), change(2, "c-2"), change(3, account="other"), change(4), change(5, window=0)
    ) == [
        ("acme", "c-1", 10_800, [1, 4]),
        ("acme", "c-2", 10_800, [2]),
        ("other", "c-1", 10_800, [3]),
        ("acme", "c-1", 0, [5]),
    ]


def test_a_slash_in_an_account_makes_no_other_accounts_contact() -> None:
    keys = [
        batch.key
        for batch in batches([change(1, "b/c", account="a"), change(2, "c", account="a/b")], TOPIC, 2, NOW)
    ]
    assert len(set(keys)) == 2


def test_the_changes_bytes_go_on_untouched() -> None:
    odd = change(1)._replace(value=change(1).value.replace(b'"origin":', b'"added":1.10,"origin":'))
    (batch,) = batches([odd], TOPIC, 2, NOW)
    assert odd.value in batch.value


def test_equal_ids_hold_equal_changes() -> None:
    ids = [
        made(*changes)[0]["id"]
        for changes in (
            [change(1), change(2)],
            [change(1), change(3)],
            [change(2), change(3)],
            [change(1, "c-2"), change(2, "c-2")],
            [change(1, window=0), change(2, window=0)],
            [change(1, account="other"), change(2, account="other")],
        )
    ]
    assert len(ids) == len(set(ids))
    assert ids[0] == made(change(1), change(2))[0]["id"]
    assert ids[0] != json.loads(next(batches([change(1), change(2)], TOPIC, 3, NOW)).value)["id"]
    assert ids[0] != json.loads(next(batches([change(1), change(2)], "changes", 2, NOW)).value)["id"]


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=30), st.integers(1, 5))
def test_batches_are_bounded_in_bytes_and_keep_each_contacts_order(contacts: list[str], fit: int) -> None:
    changes = [change(offset, contact) for offset, contact in enumerate(contacts)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LARGEST", largest := fit * 900)
        found = [json.loads(batch.value) for batch in batches(changes, TOPIC, 2, NOW)]
    for contact in "abc":
        own = [
            event["source_offset"]
            for batch in found
            for event in batch["events"]
            if batch["contact"] == contact
        ]
        assert own == [offset for offset, name in enumerate(contacts) if name == contact]  # fmt: skip
    for batch in found:
        assert len(batch["events"]) == 1 or sum(len(json.dumps(e)) for e in batch["events"]) < largest * 1.2


def test_the_largest_batch_fits_its_topic_with_what_stands_around_it() -> None:
    assert CONTACT_BATCHES.room > module.LARGEST + 100_000
    assert CONTACT_CHANGES.limit <= module.LARGEST


def run(*values: bytes, headers: tuple[Any, ...] = ()) -> Run:
    records = [
        SimpleNamespace(
            topic=TOPIC, partition=2, offset=offset, key=b"k", value=value, headers=headers, timestamp=5_000
        )
        for offset, value in enumerate(values)
    ]
    return Run(records, start=None, end=len(records), seeks=0, proof=SimpleNamespace(timestamp=9_000))


def closed(part: Run) -> list[tuple[str, dict[str, Any]]]:
    sent: list[tuple[str, dict[str, Any]]] = []
    closer(lambda topic, value, *_: sent.append((topic, json.loads(value))), lambda: NOW, refusal_limit=0)(
        part
    )
    return sent


def test_ticks_are_no_changes() -> None:
    assert closed(run(b"", headers=(("window", b"0-10"), ("tick", b"")))) == []


def test_what_is_no_change_becomes_a_dead_letter_and_stops_nothing() -> None:
    good = message(1, window=0, window_end=10_800)
    role = message(5, window=0, window_end=10_800, target=Target(type="role", id="1"))
    sent = closed(run(b"{", b"", message(2), good, b'{"a":' * 5000, role))
    letters = [DeadLetter.model_validate(value) for topic, value in sent if topic == DEAD_LETTERS.name]
    assert [(letter.offset, letter.reason) for letter in letters] == [
        (0, "malformed"),
        (1, "malformed"),
        (2, "invalid"),
        (4, "malformed"),
        (5, "invalid"),
    ]
    assert {"windows"} == {letter.stage for letter in letters}
    (batch,) = [value for topic, value in sent if topic == CONTACT_BATCHES.name]
    assert (batch["first_offset"], batch["last_offset"], batch["closed_at"]) == (3, 3, "1970-01-01T00:00:09Z")


@pytest.mark.parametrize(
    ("now", "pause"), [(0.0, 10.05), (9.9, 0.15), (10.0, 10.05), (19.999, 0.051), (25.0, 5.05)]
)
def test_the_next_tick_comes_shortly_after_the_boundary_by_the_brokers_time(now: float, pause: float) -> None:
    assert pause_until_next(now, length=10, every=300) == pytest.approx(pause)


def test_in_a_long_window_ticks_come_as_often_as_they_are_asked_for() -> None:
    assert pause_until_next(0.0, length=10_800, every=5) == 5
    assert pause_until_next(10_798.0, length=10_800, every=5) == pytest.approx(2.05)
