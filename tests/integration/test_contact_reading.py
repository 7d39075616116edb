"""Contacts and their activity: who may see what, who is found, and what waits, on the real ClickHouse."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from command import AUDIT
from hypothesis import given, settings
from hypothesis import strategies as st
from log_rows import START, VIEWER, Log, window

from audit_exporter.contact_activity import (
    activity_query,
    is_known,
    read_activity,
    read_next_sync,
    read_waiting,
)
from audit_exporter.contact_choice import contact_id
from audit_exporter.contact_search import Anything, Search, find
from audit_exporter.filters import Filter, TargetKey
from audit_exporter.query import Cursor
from audit_exporter.timeframe import Timeframe
from audit_schemas.catalogue import catalogue
from audit_schemas.errors import Invalid
from audit_schemas.permissions import Permission

FIELDS = catalogue().contact
HOUR = timedelta(hours=1)
HOSTILE = ["' OR 1=1 -- ", "%", "_", "\\", "{p0:String}", "'; DROP TABLE audit_events", "\x00", ")"]


@pytest.fixture
def other(stack):
    log = Log(stack.clickhouse)
    yield log
    log.close()


@pytest.fixture
def coming():
    """The end of a window that is open."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + 2 * HOUR


def change(field, old, new):
    """A change with its values as JSON text; None is absent."""
    return (field, "", *("" if value is None else json.dumps(value) for value in (old, new)))


def changed(contact, *changes, **more):
    return {"target_id": contact, "target_name": "", "changes": [change(*each) for each in changes]} | more


def of(log, contact, **more):
    return Filter(accounts=(log.account,), targets=(TargetKey("contact", contact),), **more)


def found(connection, log, text, limit=20):
    scope = Filter(accounts=(log.account,))
    return find(connection, Search(scope, Anything(text, FIELDS.phone), FIELDS), limit)


def ids(contacts):
    return [contact.contact_id for contact in contacts]


def chosen(connection, log, who, *, pending=False):
    return contact_id(connection, (log.account,), who, catalogue().contact, pending=pending)


def read(connection, wanted, limit=None, *, pending=False):
    """The events of an activity, and which of them are pending."""
    pages = read_activity(connection, wanted, limit, everything=False, pending=pending)
    return [(row["event_id"], row["pending"]) for page in pages for row in page.dicts()]


def page(connection, wanted, after, size):
    return list(connection.read(activity_query(wanted, after, size, everything=True, pending=True)).dicts())


def events(connection, wanted, limit=None, *, pending=False):
    return [event for event, _ in read(connection, wanted, limit, pending=pending)]


class TestFinding:
    def test_a_contact_is_found_by_what_it_is_and_by_what_it_was(self, connection, log):
        log.add_synced(
            [
                changed("1", ("name", None, "Maria García"), ("email", None, "maria@old.example")),
                changed("1", ("email", "maria@old.example", "maria@new.example")),
                changed("2", ("first_name", None, "Wei"), ("last_name", None, "李")),
                changed("3", target_name="Grace Hopper"),
            ]
        )
        assert ids(found(connection, log, "GARCÍA")) == ["1"]
        [maria] = found(connection, log, "old.example")
        assert (maria.name, maria.emails) == ("Maria García", ("maria@new.example",))
        assert [(match.field, match.value, match.former) for match in maria.matched] == [
            ("email", "maria@old.example", True)
        ]
        assert [(wei.contact_id, wei.name) for wei in found(connection, log, "李")] == [("2", "Wei 李")]
        assert ids(found(connection, log, "hopper")) == ["3"]
        assert found(connection, log, "nobody") == []

    @pytest.mark.parametrize(
        ("text", "found_ids"),
        [
            ("+1 (555) 010-0199", ["now", "former", "number"]),
            ("5550100199", ["now", "former", "number"]),
            ("55-50", ["name"]),
            ("100199", ["now", "former", "number"]),
            ("10019 x", []),
            ("+++++", []),
        ],
    )
    def test_a_phone_number_is_found_by_five_digits_or_more_however_it_is_written(
        self, connection, log, text, found_ids
    ):
        log.add_synced(
            [
                changed("name", ("name", None, "155501 00199 55-50")),
                changed("number", ("mobile", None, 15550100199)),
                changed("former", ("phone", "1.555.0100.199", "+49 30 1234567")),
                changed("now", ("phones.0", None, "+1 555 0100 199")),
            ]
        )
        assert ids(found(connection, log, text)) == found_ids

    def test_lists_and_nested_fields_are_searched_and_other_fields_are_not(self, connection, log):
        log.add_synced(
            [
                changed("list", ("emails", None, ["a@x.example", "müller@x.example"])),
                changed("nested", ("emails.work", None, "b@x.example")),
                changed("note", ("note", None, "c@x.example"), ("emails_seen", None, "d@x.example")),
                changed("flag", ("email.verified", None, True)),
            ]
        )
        assert ids(found(connection, log, "x.example")) == ["nested", "list"]
        assert ids(found(connection, log, "MÜLLER@")) == ["list"]
        assert found(connection, log, "true") == []

    def test_of_events_at_one_time_the_logs_order_decides_what_is_the_latest(self, connection, log):
        own = log.add_synced(
            changed("1", ("phone", None, f"+1 555 010{number}"), occurred_at=START) for number in range(8)
        )
        newest = events(connection, of(log, "1"))[0]
        [contact] = found(connection, log, "+1 555 010")
        assert contact.phones == (f"+1 555 010{own.index(newest)}",)
        assert len(contact.matched) == 8

    def test_within_one_event_a_new_value_is_later_than_the_old_one_and_the_last_change_wins(
        self, connection, log
    ):
        log.add_synced([changed("1", ("phone", "1111111", "2222222"), ("phone", "2222222", "1111111"))])
        assert found(connection, log, "2222222")[0].phones == ("1111111",)

    def test_a_change_that_failed_says_nothing_of_the_contact(self, connection, log):
        log.add_synced(
            [
                changed("1", ("phone", None, "1111111")),
                changed("1", ("phone", "1111111", "2222222"), outcome="failure"),
            ]
        )
        assert found(connection, log, "2222222") == []
        assert found(connection, log, "1111111")[0].last_change_at == START

    def test_those_that_changed_last_come_first_and_a_limit_cuts_the_oldest(self, connection, log):
        log.add_synced(
            [changed(str(number), ("name", None, "Ann")) for number in range(5)]
            + [changed("1", ("note", None, "x"))]
        )
        assert ids(found(connection, log, "ann")) == ["1", "4", "3", "2", "0"]
        assert ids(found(connection, log, "ann", limit=2)) == ["1", "4"]

    def test_pending_changes_are_not_searched(self, connection, log, coming):
        log.add([changed("1", ("name", None, "Ann"), **window(coming))])
        assert found(connection, log, "ann") == []

    @pytest.mark.parametrize("text", HOSTILE)
    def test_crafted_text_finds_what_it_says_and_nothing_of_another_account(
        self, connection, log, other, text
    ):
        log.add_synced([changed("1", ("name", None, f"a{text}b")), changed("2", ("name", None, "plain"))])
        other.add_synced([changed("3", ("name", None, f"a{text}b"))])
        assert ids(found(connection, log, text)) == ["1"]
        assert events(connection, of(log, text), pending=True) == []
        assert chosen(connection, log, f"{text}@") == f"{text}@"


class TestChoosing:
    def test_an_address_is_first_of_all_its_present_holders(self, connection, log):
        log.add_synced(
            [
                changed("former", ("email", None, "a@x.example")),
                changed("former", ("email", "a@x.example", "b@x.example")),
                changed("holder", ("emails", None, ["A@X.example"])),
                changed("longer", ("email", None, "aa@x.example")),
                changed("named", ("name", None, "a@x.example")),
            ]
        )
        assert chosen(connection, log, "a@X.EXAMPLE") == "holder"

    def test_an_address_that_nobody_has_any_more_is_its_former_holders(self, connection, log):
        log.add_synced([changed("1", ("email", "a@x.example", None))])
        assert chosen(connection, log, "a@x.example") == "1"

    def test_a_deleted_contact_leaves_its_address_to_the_next_one(self, connection, log):
        log.add_synced(
            [
                changed("1", ("email", None, "a@x.example")),
                changed("1", action_type="delete"),
                changed("2", ("email", None, "a@x.example")),
            ]
        )
        assert chosen(connection, log, "a@x.example") == "2"

    def test_an_address_of_several_is_refused_and_lists_them(self, connection, log):
        log.add_synced(
            changed(contact, ("email", None, "a@x.example"), target_name=f"No {contact}")
            for contact in ("1", "2")
        )
        with pytest.raises(Invalid, match=r"2 contacts have .*2 \(No 2\), 1 \(No 1\)"):
            chosen(connection, log, "a@x.example")

    def test_another_accounts_holder_is_never_chosen(self, connection, log, other):
        other.add_synced([changed("theirs", ("email", None, "a@x.example"))])
        assert chosen(connection, log, "a@x.example") == "a@x.example"
        log.add_synced([changed("ours", ("email", "a@x.example", None))])
        assert chosen(connection, log, "a@x.example") == "ours"

    def test_an_address_that_is_pending_is_known_to_those_only_who_may_see_it(self, connection, log, coming):
        log.add([changed("1", ("email", None, "a@x.example"), **window(coming))])
        assert chosen(connection, log, "a@x.example") == "a@x.example"
        assert chosen(connection, log, "a@x.example", pending=True) == "1"


class TestActivity:
    def test_another_accounts_contact_with_the_same_id_is_not_shown(self, connection, log, other, coming):
        [own] = log.add_synced([changed("1")])
        other.add_synced([changed("1")])
        other.add([changed("1", **window(coming))])
        assert events(connection, of(log, "1"), pending=True) == [own]
        assert read_waiting(connection, of(log, "1")).changes == 0
        assert read_next_sync(connection, of(log, "1")) is None

    def test_another_target_with_the_contacts_id_is_not_shown(self, connection, log, coming):
        log.add([changed("1", target_type="company", **window(coming)), changed("1", target_type="agent")])
        assert events(connection, of(log, "1"), pending=True) == []
        assert (is_known(connection, of(log, "1")), read_waiting(connection, of(log, "1")).changes) == (
            False,
            0,
        )

    def test_what_is_in_the_log_only_is_shown_as_pending_and_what_is_synced_once(
        self, connection, log, coming
    ):
        synced = log.add_synced([changed("1", **window(START + 3 * HOUR))] * 2)
        waiting = log.add([changed("1", occurred_at=START + HOUR, **window(coming))])
        log.add(
            [changed("1", occurred_at=START + 2 * HOUR)]
        )  # without a window it never was a contact change
        assert read(connection, of(log, "1")) == [(event, False) for event in reversed(synced)]
        assert read(connection, of(log, "1"), pending=True) == [
            (waiting[0], True),
            *((event, False) for event in reversed(synced)),
        ]

    def test_a_field_and_a_timeframe_choose_pending_changes_too(self, connection, log, coming):
        fields = ("phone", "note") * 3
        own = log.add(changed("1", (field, None, "x"), **window(coming)) for field in fields)
        log.sync(own[:3])
        wanted = of(log, "1", fields=("phone",), timeframe=Timeframe(START, START + timedelta(seconds=4)))
        assert events(connection, wanted, pending=True) == [own[2], own[0]]
        assert read_waiting(connection, of(log, "1")).changes == 3

    @settings(max_examples=15)
    @given(
        moments=st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=40),
        closing=st.lists(st.integers(0, 39), max_size=10),
        size=st.integers(1, 15),
    )
    def test_the_pages_hold_each_event_once_while_windows_close(
        self, stack, connection, moments, closing, size
    ):
        """Few moments, so that many events share one and only the id tells them apart."""
        log = Log(stack.clickhouse)
        stamp = window(datetime.now(UTC) + HOUR)
        own = log.add(
            changed("1", occurred_at=START + timedelta(microseconds=at), **stamp) for at, _ in moments
        )
        log.sync([event for event, (_, synced) in zip(own, moments, strict=True) if synced])
        expected, shown, after = events(connection, of(log, "1"), pending=True), [], None
        while rows := page(connection, of(log, "1"), after, size):
            shown += rows
            after = Cursor(rows[-1]["occurred_at"], rows[-1]["event_id"])
            log.sync({own[number] for number in closing if number < len(own)})
        assert [row["event_id"] for row in shown] == expected
        assert sorted(expected) == sorted(own)
        assert [row["occurred_at"] for row in shown] == sorted(
            (row["occurred_at"] for row in shown), reverse=True
        )
        log.close()

    def test_all_pages_together_hold_every_row(self, connection, log, coming):
        own = log.add(changed("1", occurred_at=START, **window(coming)) for _ in range(2_300))
        log.sync(own[:1_200])
        assert len(set(events(connection, of(log, "1")))) == len(events(connection, of(log, "1"))) == 1_200
        assert sorted(events(connection, of(log, "1"), pending=True)) == sorted(own)
        assert len(events(connection, of(log, "1"), 1_234, pending=True)) == 1_234
        assert [pending for _, pending in read(connection, of(log, "1"), pending=True)].count(True) == 1_100

    def test_what_is_pending_is_counted_once_however_often_it_is_stored(self, connection, log, coming):
        own = log.add([changed("1", **window(coming))] * 3 + [changed("1", **window(START + HOUR))])
        log.add([changed("1", event_id=own[0], **window(coming))])
        log.sync([own[1]])
        waiting = read_waiting(connection, of(log, "1"))
        assert (waiting.changes, waiting.overdue) == (3, 1)

    def test_the_next_sync_is_the_end_of_the_accounts_present_window(self, connection, log):
        now = datetime.now(UTC)
        start = datetime.fromtimestamp(now.timestamp() // 10800 * 10800, UTC)
        log.add([changed("2", **window(start + 3 * HOUR))])
        assert read_waiting(connection, of(log, "1")).next_sync == start + 3 * HOUR


class TestCommands:
    def run(self, stack, log, *arguments, viewer=VIEWER):
        who = {"AUDIT_ACCOUNT": log.account, "AUDIT_AS": viewer}
        environment = {**stack.environment, "PATH": "/usr/bin:/bin", "HOME": "/", "COLUMNS": "160", **who}
        return subprocess.run(
            [AUDIT, "contact", *arguments], env=environment, capture_output=True, text=True, check=False
        )

    def test_permissions_decide_who_is_let_in(self, stack, log, coming):
        log.add_synced([changed("1", ("name", None, "Ann"))])
        log.add([changed("1", ("note", None, "secret words"), **window(coming))])
        log.describe("reader", [Permission.ACTIVITY])
        log.describe("auditor", [Permission.VIEW])
        log.describe("left", [Permission.EXPORT], active=False)
        log.describe("stripped", [])
        for viewer, found, seen, pending in (
            ("reader", 0, 0, 4),
            ("auditor", 0, 0, 0),
            ("left", 4, 4, 4),
            ("stripped", 4, 4, 4),
            ("nobody", 4, 4, 4),
        ):
            done = [
                self.run(stack, log, *arguments, viewer=viewer)
                for arguments in (("find", "ann"), ("activity", "1"), ("activity", "1", "--include-pending"))
            ]
            assert (viewer, [each.returncode for each in done]) == (viewer, [found, seen, pending])
            shown = ["secret words" in each.stdout + each.stderr for each in done]
            assert (viewer, shown) == (viewer, [False, False, pending == 0])
            assert all("Traceback" not in each.stderr for each in done)
        refused = self.run(stack, log, "activity", "1", "--include-pending", viewer="reader")
        assert "lacks the permission 'View Audit logs'" in refused.stderr

    def test_the_activity_reads_as_it_happened(self, stack, log, coming):
        log.describe(VIEWER, [Permission.VIEW], zone="Europe/Berlin")
        sync = {
            "via": "sync",
            "actor_type": "integration",
            "actor_name": "Azure AD",
            "on_behalf_of_name": "Ada",
        }
        log.add_synced(
            [
                changed("1", ("email", None, "a@x.example"), action_type="create"),
                changed("1", ("phone", "+1 555 0100", "[b]+1 555 0199[/b]"), **sync, batch_id="azure-2041"),
            ]
        )
        log.add([changed("1", ("phone", None, ""), occurred_at=datetime.now(UTC) - HOUR, **window(coming))])
        done = self.run(stack, log, "activity", "a@x.example", "--include-pending")
        assert done.returncode == 0
        for text in (
            "2026-03-02 10:00:01",
            "Azure AD for Ada",
            "phone: +1 555 0100 -> [b]+1 555 0199[/b]",
            "Azure AD sync",
            "azure-2041",
            "Created",
            "email: a@x.example",
            'phone: (absent) -> ""',
            "pending until ",
        ):
            assert text in done.stdout
        assert "3 events, times in Europe/Berlin" in done.stderr
        assert "1 change of this contact is pending" in done.stderr

        lines = self.run(stack, log, "activity", "1", "--json", "--include-pending").stdout.splitlines()
        rows = [json.loads(line) for line in lines]
        assert [row["pending"] for row in rows] == [True, False, False]
        assert rows[0]["changes"] == [{"field": "phone", "label": None, "new": ""}]
        assert [row["synced_at"] is None for row in rows] == [True, False, False]
        assert [UUID(row["contact_batch_id"]).version for row in rows[1:]] == [4, 4]
        assert {row["contact_id"] for row in rows} == {"1"}

    def test_a_contact_that_is_only_pending_is_counted_and_nothing_of_it_shown(self, stack, log, coming):
        log.describe(VIEWER, [Permission.ACTIVITY])
        log.add([changed("1", ("name", None, "Zoe"), target_name="Zoe", **window(coming))] * 2)
        for arguments in (("activity", "1"), ("activity", "1", "--json")):
            done = self.run(stack, log, *arguments)
            assert done.returncode == 0
            assert "nothing is in the activity of contact '1' yet: next sync " in done.stderr
            assert "2 changes of this contact are pending" in done.stderr
            assert "Zoe" not in done.stdout + done.stderr

    def test_who_is_not_there_is_an_error_with_a_remedy(self, stack, log):
        log.describe(VIEWER, [Permission.ACTIVITY])
        for arguments, text in (
            (("find", "zoe"), "no contact that is or was called 'zoe'"),
            (("activity", "4711"), "no contact '4711'"),
            (("activity", "a@x.example"), "no contact 'a@x.example'"),
        ):
            done = self.run(stack, log, *arguments)
            assert (done.returncode, done.stdout) == (1, "")
            assert text in done.stderr
            assert len(done.stderr.splitlines()) == 2

    def test_exactly_one_account_is_read(self, stack, log, other):
        for twice in (("--account", log.account, "--account", other.account), ("--account", "")):
            assert self.run(stack, log, "find", "x", *twice).returncode == 2
        assert self.run(stack, log, "find", " ").returncode == 2

    def test_found_contacts_are_one_object_each(self, stack, log):
        log.describe(VIEWER, [Permission.ACTIVITY])
        log.add_synced([changed("1", ("phone", "+1 555 0100", "+1 555 0199"), target_name="Ann [b]")])
        done = self.run(stack, log, "find", "5550100", "--json")
        assert json.loads(done.stdout) == {
            "account_id": log.account,
            "contact_id": "1",
            "name": "Ann [b]",
            "emails": [],
            "phones": ["+1 555 0199"],
            "last_change_at": "2026-03-02T09:00:00Z",
            "deleted": False,
            "matched": [{"field": "phone", "value": "+1 555 0100", "former": True}],
        }
        table = self.run(stack, log, "find", "ann")
        assert ("Ann [b]" in table.stdout, "name: Ann [b]" in table.stdout) == (True, True)
