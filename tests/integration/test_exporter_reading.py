"""Who reads what: permissions, accounts, filters, paging and following, on the real ClickHouse."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from unittest.mock import patch
from uuid import uuid4

import pytest
from command import AUDIT
from hypothesis import given, settings
from hypothesis import strategies as st
from log_rows import START, VIEWER, Log

from audit_exporter import query
from audit_exporter.clickhouse import Connection
from audit_exporter.columns import log_columns
from audit_exporter.filters import Filter, TargetKey
from audit_exporter.parameters import Query
from audit_exporter.query import count, count_query, keys_query, read_event, read_pages
from audit_exporter.tail import Follower
from audit_exporter.timeframe import Timeframe
from audit_schemas.catalogue import catalogue
from audit_schemas.errors import Misconfigured, Unreachable
from audit_schemas.settings import ClickHouse

LOG = log_columns(catalogue())


@pytest.fixture
def other(stack):
    log = Log(stack.clickhouse)
    yield log
    log.close()


def ids(connection, wanted, limit=None):
    return [row["event_id"] for page in read_pages(connection, wanted, None, limit) for row in page.dicts()]


TEXTS = st.text(max_size=8) | st.just("' OR 1=1 OR '") | st.just("4711")


class TestAccounts:
    @settings(max_examples=20)
    @given(crafted=TEXTS, more=st.lists(TEXTS, max_size=2))
    def test_no_filter_reaches_another_account(self, stack, connection, crafted, more):
        mine, theirs = Log(stack.clickhouse), Log(stack.clickhouse)
        [own] = mine.add([{"target_id": "4711"}])
        theirs.add([{"target_id": crafted or "4711", "actor_id": crafted, "description": crafted}] * 3)
        own_account = (mine.account,)
        for wanted in (
            Filter(
                accounts=own_account,
                targets=(TargetKey("contact", crafted), *(TargetKey("contact", m) for m in more)),
            ),
            Filter(accounts=own_account, actors=(crafted, *more)),
            Filter(accounts=own_account, words=(crafted, *more)),
            Filter(accounts=own_account, modules=(crafted,), actions=(crafted,), fields=tuple(more)),
            Filter(accounts=(f"{mine.account}' OR '1'='1",)),
        ):
            assert set(ids(connection, wanted)) <= {own}
        mine.close()
        theirs.close()

    def test_another_accounts_event_cannot_be_viewed_by_its_id(self, connection, log, other):
        [event_id] = other.add([{}])
        assert read_event(connection, (log.account,), event_id) is None
        assert read_event(connection, (other.account,), event_id)["event_id"] == event_id


DATA = [
    dict(zip(("module", "action_type", "actor_id", "target_id", "outcome"), keys.split(), strict=True))
    | {
        "ip": ip,
        "description": text,
        "actor_name": name,
        "changes": [(field, "", "", "1") for field in fields],
    }
    for keys, ip, text, name, fields in [
        ("contacts update 1 a/b success", "203.0.113.7", "Changed Phone", "Ada", ["phone", "city"]),
        ("contacts create 2 b failure", "10.1.2.3", "100% of O'Brien\\", "Łukasz Żółć", []),
        ("agents update 1 b success", "2001:db8::1", "phone \x00 call", "山田太郎", ["city"]),
        ("agents delete 3 c success", "", "Ümlaut", "Ada", ["phone"]),
        ("security login 3 c failure", "::1", "tab\there", "", []),
    ]
]
EVERY = range(len(DATA))


class TestFilters:
    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({}, [0, 1, 2, 3, 4]),
            ({"modules": ("contacts",)}, [0, 1]),
            ({"modules": ("contacts", "agents"), "actions": ("update",)}, [0, 2]),
            ({"actors": ("3",)}, [3, 4]),
            ({"targets": (TargetKey("contact", "a/b"),)}, [0]),
            ({"targets": (TargetKey("contact", "a/b"), TargetKey("contact", "c"))}, [0, 3, 4]),
            ({"targets": (TargetKey("agent", "c"),)}, []),
            ({"outcome": "failure"}, [1, 4]),
            ({"fields": ("phone",)}, [0, 3]),
            ({"fields": ("phone", "city")}, [0, 2, 3]),
            ({"words": ("PHONE",)}, [0, 2]),
            ({"words": ("phone", "ada")}, [0]),
            ({"words": ("żółć",)}, [1]),
            ({"words": ("山田",)}, [2]),
            ({"words": ("100%",)}, [1]),
            ({"words": ("O'Brien\\",)}, [1]),
            ({"words": ("\x00",)}, [2]),
            ({"words": ("b\th",)}, [4]),
            ({"words": ("ümlaut",)}, [3]),
            ({"timeframe": Timeframe(START + timedelta(seconds=1), START + timedelta(seconds=3))}, [1, 2]),
            ({"timeframe": Timeframe(until=START)}, []),
            ({"received_until": START + timedelta(seconds=2)}, [0, 1]),
        ],
    )
    def test_a_filter_finds_what_it_says(self, connection, log, asked, found):
        own = log.add(DATA)
        assert ids(connection, Filter(accounts=(log.account,), **asked)) == [own[n] for n in reversed(found)]

    @pytest.mark.parametrize(
        "network",
        ["203.0.113.7", "203.0.113.0/24", "10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32", "::1", "::2/128"],
    )
    def test_a_network_finds_the_addresses_within_it(self, connection, log, network):
        own, wanted = log.add(DATA), ip_network(network)
        found = [n for n in EVERY if DATA[n]["ip"] and ip_address(DATA[n]["ip"]) in wanted]
        assert ids(connection, Filter(accounts=(log.account,), network=wanted)) == [
            own[n] for n in reversed(found)
        ]


class TestPaging:
    @settings(max_examples=20)
    @given(
        moments=st.lists(st.integers(0, 3), max_size=60),
        late=st.lists(st.integers(0, 3), max_size=20),
        size=st.integers(1, 25),
    )
    def test_the_pages_are_the_set_while_rows_arrive(self, stack, connection, moments, late, size):
        """Few moments, so that many events share one and only the id tells them apart."""
        log = Log(stack.clickhouse)
        own = log.add({"occurred_at": START + timedelta(microseconds=moment)} for moment in moments)
        read = []
        with patch.object(query, "_PAGE_ROWS", size):
            for page in read_pages(connection, Filter(accounts=(log.account,)), LOG, None):
                read += [(row["occurred_at"], row["event_id"]) for row in page.dicts()]
                log.add({"occurred_at": START + timedelta(microseconds=moment)} for moment in late[:5])
                del late[:5]
        found = [event_id for _, event_id in read]
        assert len(set(found)) == len(found)
        assert set(own) <= set(found)
        assert [moment for moment, _ in read] == sorted((moment for moment, _ in read), reverse=True)
        log.close()

    def test_all_pages_together_hold_every_row(self, connection, log):
        log.add_many(2_500)
        wanted = Filter(accounts=(log.account,))
        assert len(set(ids(connection, wanted))) == 2_500
        assert len(ids(connection, wanted, 1_234)) == 1_234

    def test_the_newest_keys_are_read_in_the_tables_order(self, connection, log):
        log.add_many(10)
        asked = keys_query(Filter(accounts=(log.account,)), None, 50)
        plan = connection.read(Query(f"EXPLAIN PIPELINE {asked.sql}", asked.parameters)).rows
        assert any("InReverseOrder" in line for (line,) in plan)


class TestCopies:
    """A newer catalogue words stored events anew: a copy of each lies beside the row that it replaces."""

    @pytest.fixture
    def reworded(self, log):
        """Ten events; the newest four used to say something else, in another module."""
        own = log.add([{"description": "Moved the ancient phone"}] * 10)
        anew = {"catalogue_version": 2, "module": "sla", "description": "Moved the telephone"}
        log.add(
            {**anew, "event_id": event_id, "occurred_at": START + timedelta(seconds=number)}
            for number, event_id in enumerate(own)
            if number >= 6
        )
        return own

    @pytest.mark.parametrize("size", [2, 4, 1000])
    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({"words": ("ANCIENT",)}, range(6)),
            ({"words": ("ancient phone",)}, range(6)),
            ({"words": ("phone",)}, range(10)),
            ({"words": ("telephone", "moved")}, range(6, 10)),
            ({"modules": ("contacts",)}, range(6)),
            ({"modules": ("sla",), "words": ("telephone",)}, range(6, 10)),
            ({"words": ("nowhere",)}, []),
        ],
    )
    def test_only_what_an_event_says_now_is_found(self, connection, log, reworded, asked, found, size):
        wanted = Filter(accounts=(log.account,), **asked)
        expected = [reworded[number] for number in reversed(found)]
        with patch.object(query, "_PAGE_ROWS", size):
            assert ids(connection, wanted) == expected
            assert ids(connection, wanted, 3) == expected[:3]
        assert count(connection, wanted).rows == len(expected)

    def test_a_repeat_is_shown_and_counted_once(self, connection, log):
        own = log.add([{}, {}, {}])
        log.add(
            {"event_id": event_id, "occurred_at": START + timedelta(seconds=number)}
            for number, event_id in enumerate(own)
        )
        wanted = Filter(accounts=(log.account,), words=("phone",))
        with patch.object(query, "_PAGE_ROWS", 2):
            assert ids(connection, wanted) == own[::-1]
        assert count(connection, wanted).rows == 3

    def test_words_are_looked_up_in_their_index(self, connection, log):
        log.add_many(10)
        asked = keys_query(Filter(accounts=(log.account,), words=("quetzal",)), None, 50)
        plan = connection.read(Query(f"EXPLAIN indexes = 1 {asked.sql}", asked.parameters)).rows
        assert any("by_words" in line for (line,) in plan)


def test_a_follower_sees_each_new_event_once(connection, log):
    log.add([{}, {}])
    follower = Follower(connection, Filter(accounts=(log.account,)), LOG)
    follower.begin()
    assert list(follower.poll()) == []
    early = log.add([{"occurred_at": START - timedelta(days=9)}])
    assert [event["event_id"] for event in follower.poll()] == early
    more = log.add([{}, {}, {}])
    assert {event["event_id"] for event in follower.poll()} == set(more)
    assert list(follower.poll()) == []


class TestServers:
    def test_a_server_that_is_away_is_unreachable(self):
        server = ClickHouse.from_url("clickhouse://127.0.0.1:1/audit?http_port=1")
        with Connection(server) as away:
            with pytest.raises(Unreachable, match="does not answer"):
                away.read(Query("SELECT 1"))
            with pytest.raises(Unreachable, match="does not answer"), away.stream(Query("SELECT 1")):
                pass

    def test_a_wrong_password_and_missing_tables_are_said_in_a_line(self, stack):
        right = ClickHouse.from_url(stack.clickhouse)
        wrong = right.model_copy(update={"user": "nobody"})
        empty = right.model_copy(update={"database": "system"})
        for server, text in ((wrong, "refuses the log-in"), (empty, "audit_log")):
            with Connection(server) as connection, pytest.raises(Misconfigured, match=text) as caught:
                connection.read(count_query(Filter(accounts=("a",))))
            assert "\n" not in caught.value.message

    @given(st.text() | st.text("\\'\t\n\r\0{}"), st.lists(st.text() | st.text("\\'\t\n\r\0,[]"), max_size=3))
    @settings(max_examples=60)
    def test_a_bound_value_arrives_as_it_is_on_both_ways(self, connection, text, texts):
        values = {"one": text, "many": texts}
        sql = "SELECT hex({one:String}) AS one, arrayMap(x -> hex(x), {many:Array(String)}) AS many"
        expected = (text.encode().hex().upper(), [item.encode().hex().upper() for item in texts])
        assert connection.read(Query(sql, values)).rows == [expected]
        with connection.stream(Query(f"{sql} FORMAT JSONCompactEachRow", values)) as pieces:
            assert tuple(json.loads(b"".join(pieces))) == expected


class TestCommands:
    def run(self, stack, *arguments, **more):
        environment = {**stack.environment, "PATH": "/usr/bin:/bin", "HOME": "/", "COLUMNS": "120", **more}
        return subprocess.run(
            [AUDIT, *arguments], env=environment, capture_output=True, text=True, check=False
        )

    def test_list_view_and_export_agree(self, stack, log, tmp_path):
        log.let_in(VIEWER, zone="Europe/Berlin")
        change = ("amount", "Amount", "1.10", '"12345678901234567890.10"')
        own = log.add([{"changes": [change], "description": "Changed\x1b[2J"}, {}])
        who = {"AUDIT_ACCOUNT": log.account, "AUDIT_AS": VIEWER}

        listed = self.run(stack, "log", "list", "--json", **who)
        events = [json.loads(line) for line in listed.stdout.splitlines()]
        assert [event["event_id"] for event in events] == [str(own[1]), str(own[0])]
        assert events[1]["occurred_at"] == "2026-03-02T09:00:00Z"
        assert '"old":1.10,"new":"12345678901234567890.10"' in listed.stdout

        table = self.run(stack, "log", "list", **who)
        assert "2026-03-02 10:00:00" in table.stdout
        assert "\x1b" not in table.stdout

        viewed = self.run(stack, "log", "view", str(own[0]), **who)
        assert "1.10" in viewed.stdout
        assert "\x1b" not in viewed.stdout

        written = self.run(stack, "export", "write", "--output", str(tmp_path), "--json", **who)
        files = json.loads(written.stdout)["files"]
        assert [(file["format"], file["rows"]) for file in files] == [("csv", 2), ("xlsx", 2)]

    def test_a_file_says_up_to_when_the_log_is_complete(self, stack, log, tmp_path):
        log.let_in()
        log.add([{}])
        who = {"AUDIT_ACCOUNT": log.account, "AUDIT_AS": VIEWER}
        export = ("export", "write", "--output")
        through = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
        with log.complete_through(through):
            early = self.run(stack, *export, str(tmp_path / "a.csv"), "--until", "2h", **who)
            late = self.run(stack, *export, str(tmp_path / "b.csv"), "--json", **who)
        assert early.stderr == ""
        assert f"complete through {through:%F %T}Z only" in late.stderr
        assert json.loads(late.stdout)["complete_through"] == through.isoformat()

    def test_exit_codes_say_what_kind_of_trouble_it_is(self, stack, log):
        log.let_in()
        who = ("--account", log.account, "--as", VIEWER)
        assert self.run(stack, "log", "list", *who).returncode == 0
        assert self.run(stack, "log", "list", "--account", log.account).returncode == 2
        assert self.run(stack, "log", "list", *who[:3], "nobody").returncode == 4
        unknown = self.run(stack, "log", "view", str(uuid4()), *who)
        assert (unknown.returncode, "Traceback" in unknown.stderr) == (1, False)

    def test_sql_reads_and_never_writes(self, stack):
        read = self.run(stack, "sql", "SELECT 1 AS one, '\x1b[2J' AS text", "--json")
        assert json.loads(read.stdout) == [{"one": 1, "text": "\x1b[2J"}]
        refused = self.run(stack, "sql", "DROP TABLE audit_events")
        assert refused.returncode == 1
        assert len(refused.stderr.strip().splitlines()) == 1
        assert "READONLY" in refused.stderr
