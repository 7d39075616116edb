import json
from datetime import datetime
from typing import Any

import pytest
from enriching import START, contact_batch, contact_change, enriched, message

from audit_schemas.directory import DirectoryActor
from audit_schemas.wire import encode
from audit_sinks.errors import Invalid, Malformed
from audit_sinks.payloads import read_batch, read_event, reader

GOOD = json.loads(message())


def changed(**fields: object) -> bytes:
    return json.dumps({**GOOD, **fields}).encode()


def test_an_enriched_event_passes_byte_for_byte() -> None:
    assert read_event(message()) == message()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(message()[:-1], id="missing bytes"),
        pytest.param(message() + b"}", id="trailing bytes"),
        pytest.param(message().replace(b"Ada", b"\xff"), id="no UTF-8"),
        pytest.param(message().replace(b"Ada", rb"\ud800"), id="lone surrogate"),
        pytest.param(message().replace(b'"catalogue_version":1', b'"catalogue_version":NaN'), id="NaN"),
        pytest.param(b"\xff\x00", id="bytes"),
    ],
)
def test_what_is_no_json_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_event(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"{}", id="no field"),
        pytest.param(message().replace(b'"catalogue_version":1', b'"catalogue_version":1e400'), id="1e400"),
        pytest.param(b"null", id="null"),
        pytest.param(changed(reason=5), id="optional field of a wrong type"),
        pytest.param(changed(target={"type": "contact"}), id="missing field of a part"),
        pytest.param(changed(id="1"), id="no UUID"),
        pytest.param(changed(occurred_at="yesterday"), id="no time"),
        pytest.param(changed(occurred_at="2026-03-02T09:00:00"), id="no zone"),
        pytest.param(changed(account=""), id="empty account"),
        pytest.param(changed(changes=[{"field": "a", "old": None, "new": ""}]), id="null for a text"),
        pytest.param(changed(extra="[1]", later=1), id="extra that is no object"),
        pytest.param(changed(extra="{", later=1), id="extra that is no JSON"),
    ],
)
def test_json_that_is_no_enriched_event_is_invalid(data: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        read_event(data)
    assert not isinstance(refused.value, Malformed)


@pytest.mark.parametrize("name", ["id", "account", "occurred_at", "received_at", "module", "source_offset"])
def test_a_missing_field_is_named(name: str) -> None:
    data = encode({key: value for key, value in GOOD.items() if key != name})
    with pytest.raises(Invalid, match=name):
        read_event(data)


def test_fields_of_a_newer_processor_are_kept_beside_those_of_a_newer_producer() -> None:
    event = json.loads(encode(enriched(extra='{"from_producer":1.10}')))
    event["risk"] = {"score": 3}
    event["target"]["owner"] = "7"
    extra = json.loads(read_event(encode(event)))["extra"]
    assert extra == '{"from_producer":1.10,"target.owner":"7","risk":{"score":3}}'


def test_a_directory_record_reaches_clickhouse_as_it_was_understood() -> None:
    data = b'{"account":"a","id":"7","active":"no","updated_at":"2026-03-02T10:00:00+01:00","later":1}'
    assert json.loads(reader(DirectoryActor)(data)) == {
        "account": "a",
        "id": "7",
        "type": "agent",
        "name": "",
        "email": "",
        "role": "",
        "permissions": ["View Contact activity"],
        "zone": None,
        "active": False,
        "updated_at": "2026-03-02T10:00:00+01:00",
    }


def test_a_wrong_directory_record_names_every_fault() -> None:
    with pytest.raises(Invalid, match=r"account: .*; updated_at: "):
        reader(DirectoryActor)(b'{"id":"7","updated_at":"never"}')


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"", Malformed), (b"{", Malformed), (b"\xff", Malformed), (b"[]", Invalid), (b"{}", Invalid)],
)
def test_a_directory_record_that_is_no_json_is_malformed(data: bytes, kind: type[Invalid]) -> None:
    with pytest.raises(Invalid) as refused:
        reader(DirectoryActor)(data)
    assert refused.type is kind


def test_an_event_nested_too_deeply_is_malformed_and_ends_nothing() -> None:
    with pytest.raises(Malformed, match="too deeply"):
        read_event(b'{"surplus":' + b"[" * 50_000 + b"]" * 50_000 + b"}")


def batch(*numbers: int) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(contact_batch(*(contact_change(n, START) for n in numbers)))
    return read


def test_a_contact_batch_passes_byte_for_byte() -> None:
    data = contact_batch(contact_change(1, START), contact_change(2, START))
    assert read_batch(data) is data


@pytest.mark.parametrize("start", [START, None], ids=["window", "backfill"])
def test_a_batch_as_the_processors_write_it_passes(start: datetime | None) -> None:
    data = contact_batch(contact_change(1, start))
    assert read_batch(data) is data


def test_unknown_fields_of_a_batch_and_of_its_events_are_kept_apart() -> None:
    newer = batch(1, 2)
    newer["shard"] = {"of": 1.10}
    newer["events"][1]["target"]["owner"] = "7"
    read = json.loads(read_batch(encode(newer)))
    assert read["extra"] == '{"shard":{"of":1.1}}'
    assert [event["extra"] for event in read["events"]] == ["", '{"target.owner":"7"}']


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"account": "another"}, id="account"),
        pytest.param({"target": {"type": "contact", "id": "another"}}, id="contact"),
        pytest.param({"target": {"type": "ticket", "id": "c"}}, id="target type"),
        pytest.param({"window": 0}, id="window"),
        pytest.param({"window": None}, id="no window"),
        pytest.param({"window_end": 0}, id="window's end"),
    ],
)
@pytest.mark.parametrize("more", [{}, {"later": 1}], ids=["known", "newer"])
def test_a_batch_with_an_event_of_another_place_is_invalid(
    changes: dict[str, Any], more: dict[str, Any]
) -> None:
    foreign = batch(1, 2)
    foreign["events"][1] |= {**changes, **more}
    with pytest.raises(Invalid, match=r"events\.1 "):
        read_batch(encode(foreign))


@pytest.mark.parametrize("name", ["id", "account", "contact", "topic", "partition", "first_offset", "events"])
def test_a_field_that_a_batch_lacks_is_named(name: str) -> None:
    with pytest.raises(Invalid, match=name):
        read_batch(encode({key: value for key, value in batch(1).items() if key != name}))


def test_an_event_that_is_wrong_within_a_batch_is_named() -> None:
    wrong = batch(1, 2)
    wrong["events"][1]["received_at"] = "never"
    with pytest.raises(Invalid, match=r"events\[1\]\.received_at"):
        read_batch(encode(wrong))


@pytest.mark.parametrize("data", [b"", b"{", contact_batch(contact_change(1, START))[:-1], b"\xff"])
def test_a_batch_that_is_no_json_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_batch(data)
