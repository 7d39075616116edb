"""Folding, counting and undoing on the real ClickHouse, and the filters that they share."""

import json
import subprocess
from datetime import timedelta
from unittest.mock import patch

import pytest
from command import AUDIT
from hypothesis import given, settings
from hypothesis import strategies as st
from log_rows import START, VIEWER, Log

from audit_exporter import query
from audit_exporter.facets import FACETS, read_facets
from audit_exporter.filters import Filter, TargetKey
from audit_exporter.folding import read_folded
from audit_exporter.query import read_pages


@pytest.fixture
def run(stack, log):
    log.let_in(VIEWER)

    def run(*arguments):
        more = {"AUDIT_ACCOUNT": log.account, "AUDIT_AS": VIEWER, "COLUMNS": "120", "PATH": "/usr/bin:/bin"}
        return subprocess.run(
            [AUDIT, *arguments],
            env={**stack.environment, **more},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def ids(connection, wanted):
    return [row["event_id"] for page in read_pages(connection, wanted, None, None) for row in page.dicts()]


def entries(connection, log, limit=None, **more):
    wanted = Filter(accounts=(log.account,), **more)
    return [entry for page in read_folded(connection, wanted, None, limit) for entry in page]


class TestFilters:
    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({"sessions": ("s1",)}, [0, 1]),
            ({"requests": ("r1",)}, [0]),
            ({"requests": ("r1", "r2")}, [0, 1]),
            ({"batches": ("import-1",)}, [2]),
            ({"related": (TargetKey("agent", "9"),)}, [1, 2]),
            ({"related": (TargetKey("group", "9"),)}, []),
            ({"related": (TargetKey("agent", "9"), TargetKey("ticket", "5"))}, [1, 2]),
            ({"sessions": ("s1",), "related": (TargetKey("agent", "9"),)}, [1]),
        ],
    )
    def test_a_filter_finds_what_it_says(self, connection, log, asked, found):
        agent, ticket = ("agent", "9", "Bo", ""), ("ticket", "5", "", "")
        own = log.add(
            [
                {"session_id": "s1", "request_id": "r1"},
                {"session_id": "s1", "request_id": "r2", "related": [ticket, agent]},
                {"session_id": "s2", "batch_id": "import-1", "related": [agent]},
            ]
        )
        assert ids(connection, Filter(accounts=(log.account,), **asked)) == [own[n] for n in reversed(found)]


class TestFolding:
    def test_one_request_of_one_actor_is_one_entry(self, connection, log):
        own = log.add(
            [
                {"request_id": "r1", "description": "one"},
                {"request_id": "r1", "description": "two"},
                {"request_id": "r1", "actor_id": "8"},
                {"request_id": ""},
                {"request_id": ""},
                {"request_id": "r1", "description": "three"},
            ]
        )
        found = entries(connection, log)
        assert [entry["event_id"] for entry in found] == [own[5], own[4], own[3], own[2]]
        folded = found[0]["folded"]
        assert (folded.events, folded.sentences) == (3, ("one", "two", "three"))
        assert folded.event_ids == (own[0], own[1], own[5])
        assert folded.began_at == START
        assert [entry["folded"] for entry in found[1:]] == [None, None, None]

    def test_only_what_fits_the_filter_is_folded(self, connection, log):
        log.add([{"request_id": "r", "module": module} for module in ("agents", "sla", "sla")])
        assert [entry["folded"].events for entry in entries(connection, log, modules=("sla",))] == [2]

    def test_a_long_request_says_how_many_more_there_are(self, connection, log):
        log.add([{"request_id": "r", "description": str(number)} for number in range(9)])
        [entry] = entries(connection, log)
        assert entry["folded"].lines() == ["0", "1", "2", "3", "4", "and 4 more"]

    @settings(max_examples=15)
    @given(requests=st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=30), limit=st.integers(1, 8))
    def test_every_event_is_in_exactly_one_entry_whatever_the_limit(self, stack, connection, requests, limit):
        log = Log(stack.clickhouse)
        log.add([{"request_id": request} for request in requests])
        found = entries(connection, log)
        assert sum(entry["folded"].events if entry["folded"] else 1 for entry in found) == len(requests)
        first = [entry["event_id"] for entry in entries(connection, log, limit)]
        assert first == [entry["event_id"] for entry in found][:limit]
        log.close()

    @settings(max_examples=15)
    @given(
        requests=st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=30),
        late=st.lists(st.tuples(st.sampled_from(["", "a", "b", "d"]), st.integers(0, 30)), max_size=12),
        size=st.integers(1, 8),
    )
    def test_every_event_is_in_exactly_one_entry_while_rows_arrive(
        self, stack, connection, requests, late, size
    ):
        log = Log(stack.clickhouse)
        own = log.add([{"request_id": request} for request in requests])
        found = []
        with patch.object(query, "_PAGE_ROWS", size):
            for page in read_folded(connection, Filter(accounts=(log.account,)), None, None):
                found += page
                log.add(
                    {"request_id": request, "occurred_at": START + timedelta(seconds=second, milliseconds=1)}
                    for request, second in late[:4]
                )
                del late[:4]
        shown = [
            event_id
            for entry in found
            for event_id in (entry["folded"].event_ids if entry["folded"] else (entry["event_id"],))
        ]
        assert len(set(shown)) == len(shown)
        assert set(own) <= set(shown)
        keys = [entry["request_id"] for entry in found if entry["request_id"]]
        assert len(set(keys)) == len(keys)
        log.close()

    def test_a_request_that_spans_pages_is_shown_once(self, connection, log):
        log.add([{"request_id": "long" if number % 2 else ""} for number in range(2100)])
        found = entries(connection, log)
        assert len(found) == 1051
        assert found[0]["folded"].events == 1050

    def test_the_terminal_shows_the_sentences_of_an_entry(self, log, run):
        log.add([{"request_id": "r", "description": text} for text in ("Changed the phone", "Added a tag")])
        shown = run("log", "list", "--fold")
        assert "Changed the phone" in shown.stdout
        assert "Added a tag" in shown.stdout
        assert "1 entry, " in shown.stderr
        [entry] = map(json.loads, run("log", "list", "--fold", "--json").stdout.splitlines())
        assert (entry["folded"]["events"], len(entry["folded"]["event_ids"])) == (2, 2)


class TestCounting:
    @pytest.mark.parametrize("facet", FACETS)
    def test_each_facet_counts_every_event_once(self, connection, log, facet):
        log.add(
            [{"module": "sla"}, {"module": "sla", "via": "api"}, {"module": "agents", "outcome": "failure"}]
        )
        wanted = Filter(accounts=(log.account,))
        counts = read_facets(connection, wanted, (facet,), "Europe/Berlin", 10)
        assert sum(row[-1] for row in counts.rows) == 3
        assert [row[-1] for row in counts.rows] == sorted((row[-1] for row in counts.rows), reverse=True)

    def test_a_day_is_the_viewers(self, connection, log):
        log.add([{"occurred_at": START.replace(hour=hour)} for hour in (1, 23)])
        wanted = Filter(accounts=(log.account,))
        assert read_facets(connection, wanted, ("day",), "Europe/Berlin", 10).rows == [
            ("2026-03-02", 1),
            ("2026-03-03", 1),
        ]

    def test_the_command_shows_a_table_and_json(self, log, run):
        log.add([{"module": "sla"}] * 2 + [{"module": "agents"}])
        assert "3" in run("log", "count").stdout
        shown = run("log", "count", "--by", "module", "--by", "action", "--json")
        assert [json.loads(line) for line in shown.stdout.splitlines()] == [
            {"module": "sla", "action": "update", "events": 2},
            {"module": "agents", "action": "update", "events": 1},
        ]


class TestUndoing:
    def test_an_event_is_undone_unless_it_was_changed_since(self, log, run):
        first, second, _ = log.add(
            [
                {"changes": [("phone", "Phone", '"1"', '"2"'), ("city", "", '"a"', '"b"')]},
                {"changes": [("phone", "Phone", '"2"', '"3"')]},
                {"changes": [("phone", "Phone", '"0"', '"9"')], "target_id": "another"},
            ]
        )
        done = run("log", "view", str(first), "--undo")
        [way] = map(json.loads, done.stdout.splitlines())
        assert way["patch"][0] == {"op": "test", "path": "/city", "value": "b", "field": "city"}
        assert way["patch"][2] == {"op": "replace", "path": "/city", "value": "a", "field": "city"}
        assert [(since["field"], since["event_id"]) for since in way["changed_since"]] == [
            ("phone", str(second))
        ]
        assert done.returncode == 0

    def test_a_batch_is_undone_target_by_target(self, log, run):
        change = [("city", "City", '"Bonn"', '"Köln"')]
        log.add([{"batch_id": "b1", "target_id": str(n), "changes": change} for n in range(5)])
        log.add([{"batch_id": "b2", "target_id": "1", "changes": change}])
        log.add([{"batch_id": "b1", "target_id": "1", "changes": change, "outcome": "failure"}])
        done = run("log", "view", "--batch", "b1", "--undo")
        ways = [json.loads(line) for line in done.stdout.splitlines()]
        assert [way["target"]["id"] for way in ways] == ["0", "1", "2", "3", "4"]
        assert all(len(way["events"]) == 1 for way in ways)
        assert [len(way["changed_since"]) for way in ways] == [0, 0, 0, 0, 0]

    def test_a_value_that_was_not_recorded_is_said(self, log, run):
        secret = ("api_key", "", '"[redacted]"', '"[redacted]"')
        [event_id] = log.add([{"changes": [secret]}])
        done = run("log", "view", str(event_id), "--undo")
        assert json.loads(done.stdout)["not_recorded"] == ["api_key"]
        assert done.returncode == 3

    def test_nothing_to_undo_is_an_error(self, log, run):
        [failed] = log.add([{"outcome": "failure", "occurred_at": START + timedelta(days=1)}])
        for arguments in ((str(failed),), ("--batch", "none")):
            done = run("log", "view", *arguments, "--undo")
            assert (done.returncode, done.stdout) == (1, "")
            assert "nothing to undo" in done.stderr
        assert run("log", "view", "--batch", "none").returncode == 2


def test_the_log_says_whose_change_it_was(log, run):
    log.add(
        [
            {"description": "Changed the phone", "target_name": "Grace Hopper"},
            {"description": "Changed the city", "target_name": "", "target_id": "4712"},
            {"description": "Created contact Ada King", "target_name": "Ada King"},
            {"description": "Changed role Supervisor", "target_type": "role", "target_name": "Night shift"},
        ]
    )
    shown = run("log", "list").stdout
    assert "Grace Hopper: Changed the phone" in shown
    assert "4712: Changed the city" in shown
    assert shown.count("Ada King") == 1
    assert "Night shift" not in shown


@pytest.mark.parametrize("action", ["create", "update", "delete", "login", "logout", "export", "clone"])
def test_an_action_type_shows_and_finds_its_failures_too(log, run, action):
    log.add(
        [{"action_type": action}, {"action_type": action, "outcome": "failure"}, {"action_type": "other"}]
    )
    found = run("log", "list", "--action", action).stdout
    assert found.count(f"{action} (failed)") == 1
    assert found.count(action) == 2
    assert "other" not in found
    assert "(failed)" not in run("log", "list", "--action", action, "--outcome", "success").stdout
