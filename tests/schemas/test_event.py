"""The event has one definition: pydantic and msgspec accept the same and refuse the same."""

import dataclasses
import json

import msgspec
import pytest
from documents import EVENT, almost_events
from hypothesis import given
from msgspec import UNSET
from pydantic import TypeAdapter, ValidationError

from audit_schemas import Event
from audit_schemas.enriched import EnrichedEvent
from audit_schemas.errors import Invalid
from audit_schemas.event import partition_key
from audit_schemas.validation import read_draft
from audit_schemas.wire import decode_event, encode, struct_of

ADAPTER = TypeAdapter(Event)
STRICT = msgspec.json.Decoder(struct_of(Event, strict=True))

EXAMPLE = {
    "id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "account": "acme",
    "occurred_at": "2026-03-01T09:00:00Z",
    "action": "update",
    "target": {"type": "contact", "id": "42"},
}


def line(**fields: object) -> bytes:
    return json.dumps({**EXAMPLE, **fields}).encode()


def pydantic_accepts(data: bytes) -> bool:
    try:
        ADAPTER.validate_json(data)
    except ValidationError:
        return False
    return True


def msgspec_accepts(data: bytes) -> bool:
    try:
        event = STRICT.decode(data)
    except msgspec.DecodeError:
        return False
    return bytes(event.metadata).startswith(b"{")


@given(almost_events())
def test_pydantic_and_msgspec_accept_and_refuse_the_same(document: dict[str, object]) -> None:
    data = json.dumps(document).encode()

    assert pydantic_accepts(data) == msgspec_accepts(data)


@given(EVENT.filter(lambda document: msgspec_accepts(json.dumps(document).encode())))
def test_both_read_the_same_event(document: dict[str, object]) -> None:
    data = json.dumps(document).encode()

    assert json.loads(encode(ADAPTER.validate_json(data))) == json.loads(encode(STRICT.decode(data)))


def test_the_structs_have_the_fields_and_defaults_of_the_dataclasses() -> None:
    for definition in (Event, EnrichedEvent):
        struct = msgspec.structs.fields(struct_of(definition, strict=True))

        assert [field.name for field in dataclasses.fields(definition)] == [field.name for field in struct]


@pytest.mark.parametrize("number", ["1.10", "12345678901234.123456789", "9007199254740993", "1e400"])
def test_a_number_keeps_every_digit_on_its_way(number: str) -> None:
    data = line(changes=[{"field": "price", "old": "OLD"}]).replace(b'"OLD"', number.encode())

    event, _ = decode_event(data)

    assert bytes(event.changes[0].old).decode() == number
    assert f'"old":{number}'.encode() in encode(read_draft(data))


def test_absent_null_and_empty_are_three_things() -> None:
    data = line(changes=[{"field": "a"}, {"field": "b", "old": None}, {"field": "c", "old": ""}])

    absent, null, empty = decode_event(data)[0].changes

    assert absent.old is UNSET
    assert bytes(null.old) == b"null"
    assert bytes(empty.old) == b'""'


def test_the_same_field_twice_stays_twice_and_in_order() -> None:
    event, _ = decode_event(line(changes=[{"field": "cc", "new": 1}, {"field": "cc", "new": 2}]))

    assert [bytes(change.new) for change in event.changes] == [b"1", b"2"]


def test_unknown_fields_come_back_with_their_paths_and_exact_values() -> None:
    data = line(
        target={"type": "contact", "id": "42", "tier": "gold"},
        actor={"id": "7", "on_behalf_of": {"id": "9", "desk": None}},
        changes=[{"field": "a"}, {"field": "b", "unit": "EUR"}],
        future=["EXACT"],
    ).replace(b'"EXACT"', b"1.10")

    event, extra = decode_event(data)

    assert event.target.id == "42"
    assert json.loads(extra) == {
        "target.tier": "gold",
        "actor.on_behalf_of.desk": None,
        "changes.1.unit": "EUR",
        "future": [1.1],
    }
    assert "[1.10]" in extra


def test_an_event_without_unknown_fields_has_no_extra() -> None:
    assert decode_event(line())[1] == ""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"\x00",
        line()[:-1],
        line() + b"x",
        line(account=7),
        line(account=""),
    ],
)
def test_what_is_no_event_is_refused(data: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        decode_event(data)
    with pytest.raises(Invalid):
        read_draft(data)


def test_a_draft_may_leave_out_its_id_and_time() -> None:
    draft = read_draft(b'{"account": "acme", "action": "create", "target": {"type": "contact", "id": "1"}}')

    assert draft.id is UNSET
    assert draft.occurred_at is UNSET


def test_a_refused_draft_names_every_fault_and_the_value() -> None:
    with pytest.raises(Invalid) as refusal:
        read_draft(b'{"account": "", "occurred_at": "2020-01-01T10:00:00", "action": "Up", "acto": 1}')

    for part in (
        "account:",
        "occurred_at:",
        "timezone",
        "action:",
        "'Up'",
        "target: Field required",
        "acto:",
    ):
        assert part in refusal.value.message


def test_a_value_that_is_not_utf8_is_refused_where_data_enters() -> None:
    with pytest.raises(Invalid, match="unicode"):
        read_draft(line(metadata={"a": "X"}).replace(b'"X"', b'"\xff"'))


@pytest.mark.parametrize("field", ["metadata", "changes", "future"])
def test_what_is_nested_too_deeply_is_refused_and_ends_nothing(field: str) -> None:
    deep = b"[" * 50_000 + b"]" * 50_000
    value = {"metadata": {"a": "X"}, "changes": [{"field": "a", "new": "X"}], "future": "X"}[field]
    data = line(**{field: value}).replace(b'"X"', deep)

    with pytest.raises(msgspec.DecodeError, match="too deeply"):
        decode_event(data)
    with pytest.raises(Invalid):
        read_draft(data)


def test_events_of_one_target_share_a_key() -> None:
    assert partition_key(decode_event(line())[0]) == b"acme/contact/42"
