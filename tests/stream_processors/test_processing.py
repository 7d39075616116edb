"""What is made of a run: what is sent where, what is refused and why."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from audit_schemas.catalogue import catalogue
from audit_schemas.dead_letter import DeadLetter
from audit_schemas.errors import Misconfigured
from audit_schemas.mark import Mark, is_mark
from audit_schemas.topics import CHANGES, CONTACT_BATCHES, CONTACT_CHANGES, DEAD_LETTERS, EVENTS, MIB
from audit_stream_processors.enrichment.enrich import enricher
from audit_stream_processors.processing import processor
from audit_stream_processors.refusal import TooManyRefused

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
HEADERS = (("ce_id", b"1"), ("ce_type", b"auditlane.event.v1"))
EVENT = {
    "id": "01890000-0000-7000-8000-000000000001",
    "account": "acme",
    "occurred_at": "2026-03-02T09:59:00Z",
    "action": "update",
    "target": {"type": "contact", "id": "c-1"},
}


def record(value: Any, *, offset: int = 0, key: bytes | None = b"k", **given: Any) -> Any:
    data = value if isinstance(value, bytes | None) else json.dumps(value).encode()
    fields: dict[str, Any] = {
        "topic": CHANGES.name,
        "partition": 3,
        "offset": offset,
        "key": key,
        "value": data,
        "headers": HEADERS,
        "timestamp": int(NOW.timestamp() * 1000),
    }
    return SimpleNamespace(**{**fields, **given})


def processed(*records: Any) -> list[SimpleNamespace]:
    """What is sent for a run."""
    sent: list[SimpleNamespace] = []
    process(records, sent)
    return sent


def process(records: Sequence[Any], sent: list[SimpleNamespace], *, limit: int = 0, refused: int = 0) -> int:
    """Process a run; returns how many records are refused in a row after it."""

    def send(topic: str, value: bytes, key: bytes | None, partition: int, headers: list[Any]) -> None:
        sent.append(
            SimpleNamespace(topic=topic, value=value, key=key, partition=partition, headers=list(headers))
        )

    enrich = enricher(catalogue(), lambda _, actor: actor, window_seconds=3600)
    return processor(enrich, send, lambda: NOW, window_seconds=3600, partitions=6, refusal_limit=limit)(
        records, refused
    )


def letter_of(value: Any, **given: Any) -> DeadLetter:
    (sent,) = processed(record(value, **given))
    assert DEAD_LETTERS.name == sent.topic
    return DeadLetter.model_validate_json(sent.value)


def test_a_contacts_change_goes_to_both_topics_with_key_partition_and_headers() -> None:
    events, contacts = processed(record(EVENT))
    assert [EVENTS.name, CONTACT_CHANGES.name] == [events.topic, contacts.topic]
    assert [(sent.key, sent.partition) for sent in (events, contacts)] == [(b"k", 3), (b"k", 3)]
    assert list(HEADERS) == events.headers
    start = int(NOW.timestamp())
    assert [*HEADERS, ("window", b"%d-%d" % (start, start + 3600))] == contacts.headers
    assert events.value == contacts.value


def test_other_events_go_to_the_events_only() -> None:
    (sent,) = processed(record({**EVENT, "target": {"type": "role", "id": "1"}}))
    assert EVENTS.name == sent.topic


def test_a_tick_goes_to_its_partition_of_the_contact_changes_and_as_a_mark_of_the_events() -> None:
    start = int(NOW.timestamp())
    tick = record(None, offset=8, key=None, headers=(("tick", b""),), timestamp=(start + 3600) * 1000 + 70)
    sent, mark = processed(tick)
    assert (CONTACT_CHANGES.name, 3, b"") == (sent.topic, sent.partition, sent.value)
    assert [("window", b"%d-%d" % (start + 3600, start + 7200)), ("tick", b"")] == sent.headers
    assert (EVENTS.name, 3, True) == (mark.topic, mark.partition, is_mark(mark.value))
    received_at = NOW + timedelta(seconds=3600, milliseconds=70)
    assert Mark(partition=3, partitions=6, offset=8, received_at=received_at) == Mark.model_validate_json(
        mark.value
    )


def test_no_event_is_taken_for_a_mark() -> None:
    sent = processed(record(EVENT), record(b"{}"), record(b""))
    assert len(sent) == 4
    assert not any(is_mark(each.value) for each in sent)


def refused_after(*values: Any, limit: int = 0, before: int = 0) -> int:
    records = [record(value, offset=offset) for offset, value in enumerate(values)]
    return process(records, [], limit=limit, refused=before)


def test_refused_records_are_counted_over_runs_until_a_good_one_comes() -> None:
    tick = record(None, headers=(("tick", b""),))
    assert refused_after(b"1", b"2", before=3) == 5
    assert refused_after(before=3) == 3
    assert process([tick], [], refused=3) == 3
    assert refused_after(b"1", EVENT, b"2", before=3) == 1
    assert refused_after(b"1", b"2", EVENT, before=3) == 0


def test_one_refused_record_too_many_in_a_row_stops_the_work_before_it_becomes_a_dead_letter() -> None:
    values = (b"1", EVENT, b"2", b"3", b"4")
    sent: list[Any] = []
    with pytest.raises(TooManyRefused, match=r"2 records in a row are refused, .*\[3\] at 4"):
        process([record(value, offset=offset) for offset, value in enumerate(values)], sent, limit=2)
    assert [DEAD_LETTERS.name] * 3 == [each.topic for each in sent if each.topic == DEAD_LETTERS.name]

    with pytest.raises(TooManyRefused):
        refused_after(b"1", b"2", limit=2, before=1)
    assert refused_after(b"1", EVENT, b"2", b"3", limit=2, before=1) == 2


def test_a_producer_cannot_say_which_window_its_change_belongs_to() -> None:
    start = int(NOW.timestamp())
    foreign = (*HEADERS, ("window", b"%d-%d" % (start + 3600, start + 7200)), ("tick", b""))
    events, contacts = processed(record(EVENT, headers=foreign))
    assert list(foreign) == events.headers
    assert [*HEADERS, ("window", b"%d-%d" % (start, start + 3600))] == contacts.headers


def test_an_event_with_a_ticks_header_is_an_event() -> None:
    assert EVENTS.name == processed(record(EVENT, headers=(("tick", b""),)))[0].topic


def test_history_is_batched_at_once_a_contact_each_in_order_and_waits_for_no_window() -> None:
    past = {**EVENT, "recorded": "backfill"}
    other = {**past, "target": {"type": "contact", "id": "c-2"}}
    sent = processed(record(past, offset=5), record(other, offset=6), record(past, offset=8))
    batches = [json.loads(batch.value) for batch in sent if batch.topic == CONTACT_BATCHES.name]
    assert [EVENTS.name] * 3 == [event.topic for event in sent if event.topic != CONTACT_BATCHES.name]
    assert [(batch["contact"], batch["first_offset"], batch["last_offset"]) for batch in batches] == [
        ("c-1", 5, 8),
        ("c-2", 6, 6),
    ]
    assert [[event["source_offset"] for event in batch["events"]] for batch in batches] == [[5, 8], [6]]
    assert {(CHANGES.name, 3, None, None)} == {
        (batch["topic"], batch["partition"], batch["window"], batch["closed_at"]) for batch in batches
    }


def test_history_of_something_else_is_not_batched() -> None:
    (sent,) = processed(record({**EVENT, "recorded": "backfill", "target": {"type": "role", "id": "1"}}))
    assert EVENTS.name == sent.topic


def test_a_record_without_a_key_gets_the_targets() -> None:
    assert processed(record(EVENT, key=None))[0].key == b"acme/contact/c-1"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "malformed"),
        (b"", "malformed"),
        (b"\xff\x00 no json", "malformed"),
        (b"{", "malformed"),
        (json.dumps(EVENT).encode() + b"x", "malformed"),
        ({**EVENT, "target": {"type": "contact", "id": "\ud800"}}, "malformed"),
        (json.dumps(EVENT).encode().replace(b"acme", b"\xff"), "malformed"),
        ([EVENT], "invalid"),
        ({**EVENT, "account": ""}, "invalid"),
        ({**EVENT, "id": 7}, "invalid"),
        ({**EVENT, "occurred_at": "2026-03-02T09:59:00"}, "invalid"),
        ({**EVENT, "action": "Update!"}, "invalid"),
        ({**EVENT, "changes": {"field": "a"}}, "invalid"),
        ({**EVENT, "metadata": [1]}, "invalid"),
        ({name: EVENT[name] for name in EVENT if name != "account"}, "invalid"),
    ],
)
def test_a_bad_record_becomes_a_dead_letter_with_its_bytes_its_place_and_the_reason(
    value: Any, reason: str
) -> None:
    bad = record(value, offset=7)
    letter = letter_of(value, offset=7)
    assert (reason, "processor", CHANGES.name, 3, 7) == (
        letter.reason,
        letter.stage,
        letter.topic,
        letter.partition,
        letter.offset,
    )
    assert bad.value == letter.value_bytes()
    assert base64.b64encode(b"k").decode() == letter.key
    assert (("ce_id", base64.b64encode(b"1").decode()), letter.headers[1]) == letter.headers
    assert letter.detail
    assert (letter.received_at, letter.failed_at) == (NOW, NOW)


def test_the_events_around_a_bad_one_go_on_in_order() -> None:
    role = {**EVENT, "target": {"type": "role", "id": "1"}}
    sent = processed(record(role, offset=0), record(b"?", offset=1), record(role, offset=2))
    assert [EVENTS.name, DEAD_LETTERS.name, EVENTS.name] == [item.topic for item in sent]
    assert [json.loads(item.value)["source_offset"] for item in (sent[0], sent[2])] == [0, 2]


def big(size: int) -> dict[str, Any]:
    return {**EVENT, "changes": [{"field": "note", "new": "x" * size}]}


def test_an_event_that_fits_its_topic_is_no_dead_letter() -> None:
    assert EVENTS.name == processed(record(big(3 * MIB)))[0].topic


def test_an_event_too_large_for_its_topic_is_a_dead_letter_with_all_its_bytes() -> None:
    letter = letter_of(big(4 * MIB))
    assert letter.reason == "too_large"
    assert len(letter.value_bytes() or b"") > 4 * MIB


def test_a_value_too_large_even_for_a_dead_letter_is_left_where_it_lies() -> None:
    (sent,) = processed(record(big(9 * MIB)))
    letter = DeadLetter.model_validate_json(sent.value)
    assert len(sent.value) <= DEAD_LETTERS.room
    assert (letter.reason, letter.value, letter.key) == ("too_large", None, "aw==")
    assert "too large for a dead letter: the value of 9,4" in letter.detail


def test_headers_too_large_for_a_dead_letter_are_left_out_too() -> None:
    letter = letter_of(b"?" * 9 * MIB, headers=(("big", b"x" * 9 * MIB),))
    assert (letter.headers, letter.key, letter.value) == ((), None, None)


def test_ten_thousand_changes_are_one_event() -> None:
    many = {**EVENT, "changes": [{"field": f"f{number % 5000}", "new": number} for number in range(10_000)]}
    assert len(json.loads(processed(record(many))[0].value)["changes"]) == 10_000


def test_an_append_time_more_than_a_day_ahead_stops_the_worker() -> None:
    far = int((NOW + timedelta(days=1, seconds=1)).timestamp() * 1000)
    with pytest.raises(Misconfigured, match="more than a day from now"):
        processed(record(EVENT, timestamp=far))


def test_a_key_or_headers_beyond_the_topics_limit_refuse_the_event_and_stop_nothing() -> None:
    for fields in ({"key": b"k" * 9 * MIB}, {"headers": (("h", b"x" * 9 * MIB),)}):
        (sent,) = processed(record(EVENT, **fields))
        assert DEAD_LETTERS.name == sent.topic
        assert len(sent.value) + len(sent.key) <= DEAD_LETTERS.room
        assert DeadLetter.model_validate_json(sent.value).reason == "too_large"


def test_an_event_nested_too_deeply_is_a_dead_letter() -> None:
    deep = json.dumps({**EVENT, "metadata": {"a": "X"}}).encode()
    letter = letter_of(deep.replace(b'"X"', b"[" * 50_000 + b"]" * 50_000))
    assert letter.reason == "malformed"
