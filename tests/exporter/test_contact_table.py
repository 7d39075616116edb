"""What a contact's activity looks like on a terminal."""

import io
import json
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len
from rich.console import Console

from audit_exporter.change_lines import change_lines, value_of
from audit_exporter.contact_activity import Waiting
from audit_exporter.contact_table import View, activity_table, contact_table, source_of
from audit_exporter.contacts import Contact, Match
from audit_exporter.sync_words import clock, mark, waiting_line

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 11, 5, tzinfo=UTC)
SYNC = datetime(2026, 11, 23, 14, tzinfo=UTC)
HOSTILE = "[red]x[/red]\x1b]0;owned\x07\u202etxt\r\n\x00"


def event(**values):
    return {
        "event_id": UUID(int=7),
        "occurred_at": datetime(2026, 11, 23, 7, 11, 43, tzinfo=UTC),
        "shown_actor": "Ada Lovelace",
        "shown_where": "203.0.113.7 (DE)",
        "actor_type": "agent",
        "actor_id": "7",
        "actor_name": "Ada Lovelace",
        "action_type": "update",
        "outcome": "success",
        "description": "Changed Phone of contact Grace",
        "changes": [("phone", "Phone", '"+1 555 0100"', '"+1 555 0199"')],
        "via": "web",
        "batch_id": "import-88",
        "window_end": None,
        "pending": False,
    } | values


def printed(table, width):
    out = io.StringIO()
    Console(file=out, width=width, color_system=None, highlight=False).print(table)
    return out.getvalue()


def shown(width=120, fields=(), **values):
    return printed(activity_table([event(**values)], View(BERLIN, NOW, width, fields)), width)


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_the_activity_fits_and_shows_every_value(width):
    text = shown(width, shown_actor="山田太郎" * 9, batch_id="b" * 60, via="sync", actor_type="integration")
    assert all(cell_len(line) <= width for line in text.splitlines())
    flat = re.sub(r"\s+", "", text)
    for heading in ("When", "Author", "Where", "Whatchanged", "Source", "Batch"):
        assert heading in flat
    assert "2026-11-2308:11:43" in flat
    assert (flat.count("山"), flat.count("b" * 8) > 0) == (9, True)
    assert "->" in flat


def test_what_changed_is_said_with_its_old_and_new_value():
    assert "Phone: +1 555 0100 -> +1 555 0199" in shown()


@pytest.mark.parametrize("width", [80, 120])
def test_markup_is_text_and_control_characters_never_reach_the_terminal(width):
    text = shown(
        width,
        shown_actor=HOSTILE,
        shown_where=HOSTILE,
        batch_id=HOSTILE,
        via=HOSTILE,
        changes=[("note", HOSTILE, json.dumps(HOSTILE), HOSTILE)],
    )
    assert text.count("[red]") == 7
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028]", text)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("", "(absent)"),
        ("null", "null"),
        ('""', '""'),
        ('"null"', '"null"'),
        ('"(absent)"', '"(absent)"'),
        ('" x"', '" x"'),
        ('"a -> b"', '"a -> b"'),
        ('"\\""', '"\\""'),
        ('"M\\u00fcller"', "Müller"),
        ("1.10", "1.10"),
        ('"1.10"', "1.10"),
        ('["a",null]', '["a",null]'),
        ('"\\ud800"', '"\\ud800"'),
        ("no json", "no json"),
        (f'"{"é" * 161}"', f"{'é' * 160}… (161 characters)"),
        (f'"{"é" * 160}"', "é" * 160),
    ],
)
def test_a_value_reads_as_what_it_is(raw, text):
    assert value_of(raw) == text


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        (
            {"changes": [("a", "", "", "null"), ("a", "A", '""', "")]},
            ["a: (absent) -> null", 'A: "" -> (absent)'],
        ),
        ({"action_type": "create", "changes": [("a", "", "", '"x"')]}, ["Created", "a: x"]),
        ({"action_type": "create", "changes": [("a", "", "null", '"x"')]}, ["Created", "a: null -> x"]),
        ({"action_type": "delete", "changes": [("a", "", '"x"', "")]}, ["Deleted", "a: x"]),
        ({"action_type": "delete", "changes": []}, ["Deleted"]),
        ({"action_type": "update", "changes": []}, ["Changed Phone of contact Grace"]),
        (
            {"action_type": "merge", "changes": [("a", "", "1", "2")]},
            ["Changed Phone of contact Grace", "a: 1 -> 2"],
        ),
        ({"changes": [("pin", "PIN", "", "")]}, ["PIN: changed, its values were not recorded"]),
        ({"outcome": "failure"}, ["Changed Phone of contact Grace"]),
        ({"changes": [("a", "", b'"\xff"', "1")]}, ["a: \ufffd -> 1"]),
    ],
)
def test_a_change_is_said_in_lines(values, lines):
    assert change_lines(event(**values)) == lines


def test_only_the_fields_asked_for_are_shown_and_the_others_counted():
    changes = [
        ("phone", "", "1", "2"),
        ("city", "", "1", "2"),
        ("phone", "", "2", "3"),
        ("zip", "", "1", "2"),
    ]
    assert change_lines(event(changes=changes), ("phone",)) == [
        "phone: 1 -> 2",
        "phone: 2 -> 3",
        "and 2 other fields",
    ]


@pytest.mark.parametrize(
    ("values", "source"),
    [
        ({"via": "sync", "actor_type": "integration", "actor_name": "Azure AD"}, "Azure AD sync"),
        ({"via": "sync", "actor_type": "integration", "actor_name": "LDAP Sync"}, "LDAP Sync"),
        ({"via": "sync", "actor_type": "system", "actor_name": "", "actor_id": "ldap"}, "ldap sync"),
        ({"via": "sync"}, "sync"),
        ({"via": "import", "actor_type": "integration"}, "Bulk import"),
        ({"via": "web"}, "web"),
        ({"via": "api", "actor_type": "integration"}, "api"),
        ({"via": "", "actor_type": "system"}, "system"),
        ({"via": ""}, ""),
    ],
)
def test_the_source_is_said_in_words(values, source):
    assert source_of(event(**values)) == source


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, ""),
        ({"window_end": SYNC}, ""),
        ({"pending": True, "window_end": SYNC}, "pending until 15:00"),
        ({"pending": True, "window_end": SYNC + timedelta(hours=9)}, "pending until 2026-11-24 00:00"),
        ({"pending": True, "window_end": NOW}, "being synced since 12:05"),
        ({"pending": True, "window_end": NOW - timedelta(minutes=1)}, "overdue since 12:04"),
    ],
)
def test_what_is_pending_is_marked_with_the_end_of_its_window(values, text):
    assert mark(event(**values), BERLIN, NOW) == text
    assert text in shown(200, **values)


@pytest.mark.parametrize(
    ("waiting", "line"),
    [
        (Waiting(3, 0, SYNC), "next sync 15:00 (Europe/Berlin), 3 changes of this contact are pending"),
        (Waiting(1, 0, SYNC), "next sync 15:00 (Europe/Berlin), 1 change of this contact is pending"),
        (Waiting(0, 0, SYNC), "next sync 15:00 (Europe/Berlin), no change of this contact is pending"),
        (
            Waiting(1200, 7, SYNC),
            "next sync 15:00 (Europe/Berlin), 1,200 changes of this contact are pending, 7 of them overdue",
        ),
        (Waiting(0, 0, None), "no sync is due, no change of this contact is pending"),
    ],
)
def test_the_next_sync_is_said_in_the_readers_zone(waiting, line):
    assert waiting_line(waiting, BERLIN, NOW) == line


def test_a_time_has_its_date_unless_it_is_the_readers_today():
    late = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    assert clock(late, ZoneInfo("UTC"), NOW) == "23:30"
    assert clock(late, BERLIN, NOW) == "2026-11-24 00:30"


@pytest.mark.parametrize("width", [80, 120])
def test_contacts_fit_and_show_what_was_found(width):
    found = Contact(
        account_id="acme",
        contact_id="4711",
        name="山田 [bold]太郎[/bold]\x1b",
        emails=("a@x.example", "b@x.example"),
        phones=("+1 555 0199",),
        last_change_at=NOW,
        deleted=True,
        matched=tuple(Match("phone", f"+1 555 010{number}", former=number > 0) for number in range(5)),
    )
    text = printed(contact_table([found], BERLIN), width)
    assert all(cell_len(line) <= width for line in text.splitlines())
    flat = re.sub(r"\s+", "", text)
    for value in ("4711", "[bold]", "a@x.example", "b@x.example", "(deleted)", "and2more"):
        assert value in flat
    assert "\x1b" not in text
