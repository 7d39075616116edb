"""What an event gains: time, module, window, origin, actor, texts of values."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_schemas.accepted_times import EARLIEST, TOLERANCE
from audit_schemas.catalogue import UNCLASSIFIED, catalogue
from audit_schemas.enriched import EnrichedEvent
from audit_schemas.errors import Invalid
from audit_schemas.event import Actor, Change, Event, Origin, Recorded, Target
from audit_schemas.wire import decode_event, encode, struct_of
from audit_stream_processors.enrichment.enrich import enricher
from audit_stream_processors.enrichment.time_range import believed_time

RECEIVED = datetime(2026, 3, 2, 9, 59, 59, 123000, tzinfo=UTC)
ID = UUID("01890000-0000-7000-8000-000000000001")
HOUR = 3600


def nobody(_account: str, actor: Actor) -> Actor:
    return actor


enrich = enricher(catalogue(), nobody, window_seconds=3 * HOUR)


def event(**given: Any) -> Event:
    fields: dict[str, Any] = {
        "id": ID,
        "account": "acme",
        "occurred_at": RECEIVED - timedelta(seconds=1),
        "action": "update",
        "target": Target(type="contact", id="c-1"),
    }
    return Event(**{**fields, **given})


def enriched(**given: Any) -> EnrichedEvent:
    return enrich(event(**given), "", 3, 42, RECEIVED)


def raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


def test_a_time_within_the_range_is_believed_and_becomes_utc() -> None:
    there = RECEIVED.astimezone(timezone(timedelta(hours=5, minutes=30)))
    time, claimed = believed_time(there, RECEIVED, "live")
    assert (time, time.tzinfo, claimed) == (RECEIVED, UTC, None)


@pytest.mark.parametrize(
    "wild",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2199, 1, 1, tzinfo=UTC),
        EARLIEST["live"] - timedelta(microseconds=1),
        RECEIVED + timedelta(days=1, microseconds=1),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
    ],
)
def test_a_time_out_of_range_gives_way_to_the_brokers_and_is_kept_as_text(wild: datetime) -> None:
    made = enriched(occurred_at=wild)
    assert (RECEIVED, wild.isoformat(), ("occurred_at out of range",)) == (
        made.occurred_at,
        made.claimed_at,
        made.notes,
    )


@given(st.datetimes(timezones=st.timezones()), st.sampled_from(["live", "backfill"]))
def test_every_enriched_time_lies_within_the_range(time: datetime, recorded: Recorded) -> None:
    believed, _ = believed_time(time, RECEIVED, recorded)
    assert EARLIEST[recorded] <= believed <= RECEIVED + TOLERANCE


def test_history_goes_further_back_than_live_events() -> None:
    long_ago = datetime(1998, 5, 1, tzinfo=UTC)
    assert believed_time(long_ago, RECEIVED, "backfill") == (long_ago, None)
    assert believed_time(long_ago, RECEIVED, "live") == (RECEIVED, long_ago.isoformat())


def test_the_window_is_that_of_the_append_time() -> None:
    assert int(datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp()) == enriched().window


@pytest.mark.parametrize(
    "other",
    [
        {"target": Target(type="agent", id="1")},
        {"target": Target(type="company", id="1")},
        {"action": "login"},
        {"module": "developer"},
        {"recorded": "backfill"},
    ],
)
def test_only_live_changes_of_contacts_have_a_window(other: dict[str, Any]) -> None:
    assert enriched(**other).window is None


def test_the_module_that_the_producer_names_wins_when_it_exists() -> None:
    made = enriched(module="developer")
    assert (made.module, made.notes) == ("developer", ())


def test_a_module_that_does_not_exist_is_noted_and_the_rules_decide() -> None:
    made = enriched(module="crm")
    assert (made.module, made.notes) == ("contacts", ("unknown module: crm",))


def test_an_agents_own_record_is_my_settings_and_another_ones_is_agents() -> None:
    me, other = Target(type="agent", id="7"), Target(type="agent", id="8")
    assert enriched(actor=Actor.agent("7"), target=me).module == "my_settings"
    assert enriched(actor=Actor.admin("7"), target=me).module == "my_settings"
    assert enriched(actor=Actor.agent("7"), target=other).module == "agents"
    assert enriched(actor=Actor.contact("7"), target=me).module == "agents"


@given(
    st.text(min_size=1),
    st.from_regex(r"[a-z][a-z0-9_]*", fullmatch=True),
    st.lists(st.text(min_size=1), max_size=12),
    st.sampled_from(["agent", "admin", "contact", "integration", "system", "unknown"]),
)
def test_every_event_gets_a_module(target: str, action: str, fields: list[str], actor: Any) -> None:
    made = enriched(
        target=Target(type=target, id="1"),
        action=action[:64],
        changes=tuple(Change(field=name) for name in fields),
        actor=Actor(type=actor, id="1"),
    )
    assert made.module in {*catalogue().modules, UNCLASSIFIED}
    assert made.description


def test_values_become_json_text_and_absent_null_and_empty_stay_apart() -> None:
    made = enriched(
        changes=(
            Change(field="a", old=raw("1.10"), new=raw("12345678901234567890.5")),
            Change(field="a", old=raw("null"), new=raw('""')),
            Change(field="a", new=raw('{"b":[1]}')),
        )
    )
    assert [(change.old, change.new) for change in made.changes] == [
        ("1.10", "12345678901234567890.5"),
        ("null", '""'),
        ("", '{"b":[1]}'),
    ]


def test_a_change_without_a_label_has_the_catalogues_and_the_row_says_whose_it_is() -> None:
    made = enriched(
        changes=(Change(field="phone"), Change(field="email", label="Mail"), Change(field="mood"))
    )
    assert [change.label for change in made.changes] == ["Primary phone number", "Mail", None]
    assert made.named_by_producer == ("labels",)
    assert enriched(changes=(Change(field="phone"),)).named_by_producer == ()
    assert enriched(module="developer").named_by_producer == ("module",)
    assert enriched(module="crm").named_by_producer == ()


@pytest.mark.parametrize("field", ["secret", "headers.authorization"])
def test_a_secret_that_came_bare_is_replaced_and_noted(field: str) -> None:
    bare, hidden = Change(field=field, old=raw('"5tr0ng"'), new=raw("null")), raw('"[redacted]"')
    webhook = Target(type="webhook", id="1", name="Orders")
    made = enriched(target=webhook, changes=(bare,))
    assert [(change.old, change.new) for change in made.changes] == [('"[redacted]"', "null")]
    assert made.notes == (f"secret not redacted: {field}",)
    assert b"5tr0ng" not in encode(made)
    assert enriched(target=webhook, changes=(Change(field=field, old=hidden, new=hidden),)).notes == ()


def test_a_long_value_is_short_in_the_sentence_and_whole_in_the_changes() -> None:
    long = "x" * 5000
    made = enriched(changes=(Change(field="notes", new=raw(f'"<p>{long}</p>"')),))
    assert made.changes[0].new == f'"<p>{long}</p>"'
    assert len(made.description) < 100


def test_bytes_that_are_no_utf8_are_refused() -> None:
    with pytest.raises(UnicodeDecodeError):
        enriched(changes=(Change(field="a", new=msgspec.Raw(b'"\xff"')),))


def test_metadata_must_be_an_object() -> None:
    with pytest.raises(Invalid, match="metadata must be an object"):
        enriched(metadata=raw("[1]"))


def test_the_address_is_parsed_and_kept_as_it_was_given() -> None:
    origin = enriched(origin=Origin(address="10.0.0.7:443", via="web")).origin
    assert (
        origin.address,
        origin.ip,
        origin.scope,
        origin.via,
    ) == ("10.0.0.7:443", "10.0.0.7", "private", "web")


def test_a_host_name_is_no_ip_and_no_fault() -> None:
    made = enriched(origin=Origin(address="config.amazonaws.com"))
    assert (
        made.origin.address,
        made.origin.ip,
        made.origin.scope,
        made.notes,
    ) == ("config.amazonaws.com", None, None, ())


def test_the_ip_that_the_producer_parsed_goes_before_the_address() -> None:
    assert enriched(origin=Origin(address="proxy", ip="8.8.8.8")).origin.ip == "8.8.8.8"


def test_an_ip_that_is_none_is_noted_and_the_address_is_tried() -> None:
    made = enriched(origin=Origin(address="8.8.8.8", ip="unknown"))
    assert (made.origin.ip, made.notes) == ("8.8.8.8", ("unreadable ip: unknown",))


def test_where_it_lies_and_what_was_unknown_travel_along() -> None:
    made = enrich(event(), '{"new":1}', 3, 42, RECEIVED)
    assert (
        made.source_partition,
        made.source_offset,
        made.extra,
        made.received_at,
    ) == (3, 42, '{"new":1}', RECEIVED)


def test_what_is_written_reads_back_as_an_enriched_event() -> None:
    made = enriched(changes=(Change(field="a", new=raw("1")),), origin=Origin(address="::1"))
    read: Any = msgspec.json.decode(encode(made), type=struct_of(EnrichedEvent, strict=True))
    for field in ("id", "occurred_at", "module", "window", "metadata", "description"):
        assert getattr(made, field) == getattr(read, field)
    assert (read.changes[0].field, read.changes[0].old, read.changes[0].new) == ("a", "", "1")
    assert b'"metadata":"{}"' in encode(made)


def test_an_event_as_it_lies_in_kafka_keeps_the_fields_that_nobody_knows() -> None:
    data = encode(event())[:-1] + b',"mood":{"x":1.10}}'
    read, extra = decode_event(data)
    assert enrich(read, extra, 0, 0, RECEIVED).extra == '{"mood":{"x":1.10}}'
