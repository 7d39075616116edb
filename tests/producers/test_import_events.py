"""Which event a record becomes: the same one each time, and none that the log would keep elsewhere."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit_producers.history.events import History, events
from audit_producers.history.formats import Record
from audit_producers.ids import id_of_key
from audit_producers.occurrences import Occurrences
from audit_schemas.accepted_times import EARLIEST, TOLERANCE
from audit_schemas.errors import Invalid
from audit_schemas.event import Event
from audit_schemas.wire import decode_event

_EARLIEST = EARLIEST["backfill"]

NOW = datetime(2026, 6, 1, tzinfo=UTC)
EVENT: dict[str, Any] = {
    "account": "acme",
    "action": "update",
    "target": {"type": "contact", "id": "1"},
    "occurred_at": "2021-01-31T10:00:00Z",
}


def record(**fields: Any) -> Record:
    return Record(1, json.dumps({**EVENT, **fields}).encode())


def history(source: str = "old", account: str | None = None) -> History:
    return History(events(account), source=source, account=account)


def read(*records: Record, source: str = "old") -> list[Event]:
    reader = history(source)
    return [decode_event(reader.event_of(one, NOW)[1])[0] for one in records]


def test_an_event_becomes_history():
    [event] = read(record(recorded="live", producer={"service": "s", "instance": "i", "sequence": 1}))

    assert (event.recorded, event.producer) == ("backfill", None)


def test_an_id_of_its_own_is_kept_and_a_key_makes_one():
    own, keyed = read(record(id="018f3a3a-7c00-7000-8000-000000000001"), record(idempotency_key="k"))

    assert str(own.id) == "018f3a3a-7c00-7000-8000-000000000001"
    assert keyed.id == id_of_key("acme", "old", "k")


def test_a_record_always_gets_the_same_id_whatever_is_around_it():
    a, b = record(reason="a"), record(reason="b")
    forth, back = read(a, a, b), read(b, a, a)

    assert [one.id for one in forth] == [back[1].id, back[2].id, back[0].id]
    assert len({one.id for one in forth}) == 3
    assert read(a, source="new")[0].id != forth[0].id


def test_the_order_of_keys_does_not_matter():
    turned = Record(1, json.dumps(dict(reversed(EVENT.items()))).encode())

    assert read(record())[0].id == read(turned)[0].id


def test_after_a_resume_ids_are_those_of_one_run():
    records = [record(reason=str(number % 3)) for number in range(9)]
    records[4] = record(action="No Verb")  # is refused, and counts all the same
    whole = history()
    ids = [_id(whole, one) for one in records]
    resumed = history()
    for one in records[:5]:
        resumed.pass_over(one)

    assert [_id(resumed, one) for one in records[5:]] == ids[5:]
    assert len(set(ids)) == 9


def _id(reader: History, one: Record) -> Any:
    try:
        return reader.event_of(one, NOW)[0].id
    except Invalid:
        return None


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (
            {"occurred_at": (EARLIEST["backfill"] - timedelta(microseconds=1)).isoformat()},
            "before 1990-01-01",
        ),
        ({"occurred_at": (NOW + TOLERANCE + timedelta(seconds=1)).isoformat()}, "is not in the past"),
        ({"occurred_at": "2021-01-31T10:00:00"}, "occurred_at"),
        ({"colour": "red"}, "colour"),
        ({"reason": "x" * 600_000}, "bytes"),
    ],
)
def test_what_the_log_would_not_keep_as_it_is_is_refused(given: dict[str, Any], fault: str):
    with pytest.raises(Invalid, match=fault):
        read(record(**given))


def test_history_without_a_time_is_refused():
    line = json.dumps({name: value for name, value in EVENT.items() if name != "occurred_at"}).encode()

    with pytest.raises(Invalid, match="history says when"):
        read(Record(1, line))


def test_the_account_of_the_command_is_for_records_without_one():
    line = json.dumps({name: value for name, value in EVENT.items() if name != "account"}).encode()
    reader = history(account="globex")

    assert reader.event_of(Record(1, line), NOW)[0].account == "globex"
    assert reader.event_of(record(), NOW)[0].account == "acme"


def test_many_alike_are_as_many():
    occurrences = Occurrences()

    assert len({occurrences.id_of(b"the same") for _ in range(1000)}) == 1000
