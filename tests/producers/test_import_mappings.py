"""The ready mappings on dumps as psql and dumpdata write them, and what an own one can say and do wrong."""

import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from audit_producers.commands import import_history
from audit_producers.history.dump import open_dump
from audit_producers.history.events import History
from audit_producers.history.mapped import mapped
from audit_producers.history.mapping import READY, EventSources, OriginSources, read_mapping, ready_text
from audit_producers.ids import id_of_key
from audit_schemas.errors import Invalid, Misconfigured
from audit_schemas.event import Event, Origin
from audit_schemas.wire import decode_event, encode

DATA = Path(__file__).parents[1] / "data" / "history"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def events(file: Path, mapping: str, account: str | None = "acme") -> Iterator[Any]:
    """The events of a dump, and Invalid in place of what is none."""
    made = read_mapping(mapping)
    history = History(mapped(made, account), source=made.source, account=account)
    with file.open("rb") as stream:
        for record in open_dump(stream, made).records:
            try:
                yield decode_event(history.event_of(record, NOW)[1])[0]
            except Invalid as error:
                yield error.message


def changes(event: Event) -> dict[str, tuple[Any, Any]]:
    told = [json.loads(encode(change)) for change in event.changes]
    return {one["field"]: (one.get("old", "absent"), one.get("new", "absent")) for one in told}


def test_django_auditlog_as_csv():
    created, updated, related, deleted, viewed = events(DATA / "auditlog.csv", "django-auditlog")

    assert created.id == id_of_key("acme", "django-auditlog", "1")
    assert (created.recorded, created.account, created.action) == ("backfill", "acme", "create")
    assert created.occurred_at == datetime(2021, 3, 2, 9, 15, 22, 120_000, UTC)
    assert (created.target.type, created.target.id, created.target.name) == ("contact", "42", "Bob Møller")
    assert (created.actor.type, created.actor.id, created.actor.email) == ("agent", "7", "ann@example.com")
    assert (created.origin.address, created.origin.request_id) == ("203.0.113.7", "req-1")
    assert changes(created) == {"phone": (None, "+45 1"), "name": (None, "Bob Møller")}
    assert json.loads(bytes(created.metadata)) == {
        "additional_data": {"ticket": 4711, "api_key": "[redacted]"}
    }
    assert updated.occurred_at == datetime(2022, 7, 1, 21, 59, 59, 999_999, UTC)
    assert changes(updated) == {
        "note": ("line 1", 'line 1\nline "2", end'),
        "password": ("[redacted]", "[redacted]"),
    }
    assert (related.actor.type, related.actor.id) == ("unknown", None)
    assert changes(related) == {"agents": ("absent", ["Ann", "Kim"])}
    assert (deleted.action, changes(deleted)) == ("delete", {"name": ("Bob Møller", None)})
    assert (viewed.action, viewed.changes) == ("view", ())


def test_django_auditlog_as_dumpdata_writes_it():
    created, updated, numbered, early = events(DATA / "auditlog.json", "django-auditlog")

    assert created.id == id_of_key("acme", "django-auditlog", "1")
    assert (created.target.type, created.actor.id, changes(created)) == (
        "contact",
        "7",
        {"phone": (None, "+45 1")},
    )
    assert json.loads(bytes(created.metadata)) == {"additional_data": {"ticket": 4711}}
    assert changes(updated) == {"vip": ("False", "True")}
    assert "target.type: there is nothing at 'fields.content_type.1'" in numbered
    assert "before 1990-01-01" in early


def test_paper_trail_with_yaml():
    created, updated, destroyed, approved = events(DATA / "versions.csv", "paper-trail")

    assert created.id == id_of_key("acme", "paper-trail", "101")
    assert created.occurred_at == datetime(2021, 3, 2, 9, 15, 22, 123_456, UTC)
    assert (created.origin.address, created.origin.user_agent) == ("198.51.100.9", "Mozilla/5.0")
    assert changes(created) == {
        "id": (None, 42),
        "phone": (None, "+1 555 0100"),
        "balance": (None, "19.9"),
        "ratio": (None, 1.1),
        "born": (None, "1980-02-29"),
        "vip": (None, True),
        "created_at": (None, "2021-03-02T09:15:22.123456Z"),
    }
    assert b'{"field":"ratio","label":null,"old":null,"new":1.10}' in encode(created.changes)
    assert [change.field for change in created.changes][:3] == ["id", "phone", "balance"]
    assert changes(updated) == {
        "status": ("open", "closed"),
        "tags": (["a"], ["a", "b"]),
        "encrypted_password": ("[redacted]", "[redacted]"),
        "note": ("", 'first line\n"second", line'),
    }
    assert (destroyed.action, destroyed.actor.type) == ("delete", "unknown")
    assert changes(destroyed)["email"] == ("bob@example.com", "absent")
    assert (approved.action, approved.target.type, approved.changes) == ("approve", "smart_rule_set", ())


def test_paper_trail_with_json():
    renamed, destroyed = events(DATA / "versions_json.csv", "paper-trail")

    assert (renamed.target.type, renamed.actor.id) == ("admin_agent", "Ann")
    assert set(changes(renamed)) == {"name", "limit"}
    assert b"12345678901234567890.10" in encode(renamed.changes)
    assert json.loads(bytes(renamed.metadata)) == {"transaction_id": "77"}
    assert changes(destroyed) == {"phone": ("1", None)}


OWN = """
source = "tickets"
[time]
format = "%d.%m.%Y %H:%M"
zone = "Europe/Berlin"
[csv]
delimiter = ";"
[event]
account = { template = "tenant-{tenant}" }
occurred_at = "at"
action = { from = "what", values = { neu = "create" }, otherwise = "update" }
target = { type = { value = "ticket" }, id = ["number", "old_number"] }
related = [{ type = { value = "contact" }, id = "contact" }]
metadata = { lane = "lane" }
[event.changes]
each = { field = "field", old = "from", new = "to" }
"""


def own(tmp_path: Path, text: str = OWN) -> str:
    file = tmp_path / "own.toml"
    file.write_text(text)
    return str(file)


def test_an_own_mapping(tmp_path: Path):
    file = tmp_path / "tickets.csv"
    file.write_text(
        "tenant;at;what;number;old_number;contact;lane;field;from;to\n"
        "a;31.10.2021 02:30;neu;;77;;;;;\n"
        "b;01.07.2021 12:00;geändert;78;;5;3;state;;closed\n"
        ";01.07.2021 12:00;neu;79;;;;;;\n"
        "c;yesterday;neu;80;;;;;;\n"
    )
    twice, changed, nobody, never = events(file, own(tmp_path), account=None)

    assert (twice.account, twice.target.id, twice.changes) == ("tenant-a", "77", ())
    assert twice.occurred_at == datetime(2021, 10, 31, 0, 30, tzinfo=UTC)  # the first of the two
    assert (changed.action, [one.id for one in changed.related]) == ("update", ["5"])
    assert (changes(changed), json.loads(bytes(changed.metadata))) == (
        {"state": ("absent", "closed")},
        {"lane": "3"},
    )
    assert nobody == "account: there is nothing"
    assert never == "occurred_at: 'yesterday' is no time of the form %d.%m.%Y %H:%M"


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("action =", "activity =", "8: event.action: is missing"),
        ("Europe/Berlin", "Mars", "5: time.zone: 'Mars' is no time zone"),
        ("metadata =", "colour =", "14: event.colour: unknown key"),
        (
            'value = "ticket"',
            'value = "t", from = "k"',
            "12: event.target.type: needs one of `from`, `value`",
        ),
        ("[csv]", "[csv", "6: "),
    ],
)
def test_a_fault_in_a_mapping_names_file_line_key_and_remedy(
    tmp_path: Path, right: str, wrong: str, told: str
):
    with pytest.raises(Misconfigured) as refused:
        read_mapping(own(tmp_path, OWN.replace(right, wrong)))

    assert f"own.toml:{told}" in refused.value.message
    assert "--print-mapping" in refused.value.remedy


def test_a_time_without_a_zone_is_refused(tmp_path: Path):
    file = tmp_path / "tickets.csv"
    file.write_text("tenant;at;what;number\na;31.10.2021 02:30;neu;77\n")
    text = OWN.replace('zone = "Europe/Berlin"\n', "")
    (refused,) = events(file, own(tmp_path, text), account=None)

    assert "names no zone: say in the mapping which it is" in refused


def test_whose_events_they_are_must_be_said():
    with pytest.raises(Misconfigured, match="whose events"):
        mapped(read_mapping("paper-trail"), None)


@pytest.mark.parametrize("name", READY)
def test_a_ready_mapping_is_printed_to_start_from(name: str):
    result = CliRunner().invoke(import_history, ["--print-mapping", name])

    assert (result.exit_code, result.output) == (0, ready_text(name))


def test_a_mapping_can_say_every_part_of_an_event():
    def names(message: type) -> set[str]:
        return {field.name for field in dataclasses.fields(message)}

    apart = {"recorded", "producer"}
    assert set(EventSources.model_fields) == names(Event) - apart
    assert set(OriginSources.model_fields) == names(Origin)


def test_the_example_is_imported_as_it_says():
    folder = Path(__file__).parents[2] / "producers/audit_producers/examples/history"
    opened, waited, noted, removed = events(
        folder / "tickets.csv", str(folder / "tickets.toml"), account=None
    )

    assert opened.occurred_at == datetime(2021, 7, 5, 3, 59, 59, tzinfo=UTC)
    assert (opened.target.name, opened.related[0].id) == ("Ticket 4711", "42")
    assert (waited.actor.type, waited.reason, changes(waited)) == (
        "system",
        "no answer for a day",
        {"state": ("open", "waiting")},
    )
    assert changes(noted) == {"note": ("first\nsecond", 'first\n"second", changed')}
    assert (removed.action, removed.related, removed.id) == (
        "delete",
        (),
        id_of_key("acme", "old-helpdesk", "4"),
    )
