"""Sign-ins as sessions, on the real ClickHouse."""

import json
import subprocess
from datetime import timedelta

import pytest
from command import AUDIT
from log_rows import START, VIEWER, Log

from audit_exporter.sessions import SessionFilter, read_sessions
from audit_exporter.timeframe import Timeframe
from audit_schemas.permissions import Permission


@pytest.fixture
def other(stack):
    log = Log(stack.clickhouse)
    yield log
    log.close()


def event(action, minute, **more):
    at = START + timedelta(minutes=minute)
    who = {"target_type": "agent", "target_id": "7", "module": "login_and_logout", "session_id": "s1"}
    return {**who, "action_type": action, "occurred_at": at, **more}


def sessions(connection, log, limit=None, **more):
    wanted = SessionFilter(accounts=(log.account,), **more)
    return [row for page in read_sessions(connection, wanted, limit) for row in page.dicts()]


def minutes(session):
    return tuple(
        None if session[end] is None else (session[end] - START).total_seconds() / 60
        for end in ("started_at", "ended_at")
    )


def states(connection, log, **more):
    return [(session["state"], *minutes(session)) for session in sessions(connection, log, **more)]


def test_a_login_and_its_logout_are_one_session_with_what_the_login_knew(connection, log):
    log.add([event("login", 0, client="Firefox 140 on Linux", place="Berlin, Germany"), event("logout", 61)])
    [session] = sessions(connection, log)
    assert (session["state"], session["duration_seconds"]) == ("ended", 3660)
    assert (session["actor_id"], session["actor_name"]) == ("7", "Ada Lovelace")
    assert (session["ip"], session["place"], session["client"]) == (
        "203.0.113.7", "Berlin, Germany", "Firefox 140 on Linux",
    )  # fmt: skip


def test_a_session_without_an_end_is_open_and_one_that_expired_says_so(connection, log):
    log.add(
        [event("login", 0), event("login", 5, session_id="s2"), event("session_expired", 65, session_id="s2")]
    )
    assert states(connection, log) == [("expired", 5, 65), ("open", 0, None)]


def test_each_failed_login_stands_alone_even_within_a_session(connection, log):
    failed = {"outcome": "failure", "outcome_reason": "wrong password"}
    log.add([event("login", 0, **failed), event("login", 1, **failed), event("login", 2), event("logout", 3)])
    assert states(connection, log) == [("ended", 2, 3), ("failed", 1, None), ("failed", 0, None)]


def test_an_end_without_a_beginning_is_unpaired(connection, log):
    log.add([event("logout", 9)])
    assert states(connection, log) == [("unpaired", None, 9)]


def test_what_names_no_session_is_paired_with_nothing(connection, log):
    log.add([event("login", 0, session_id=""), event("logout", 9, session_id="")])
    assert states(connection, log) == [("unpaired", None, 9), ("unpaired", 0, None)]


def test_a_session_id_that_is_used_again_is_another_session(connection, log):
    log.add(
        [event("login", 0), event("logout", 1), event("login", 5), event("logout", 9), event("logout", 10)]
    )
    assert states(connection, log) == [("ended", 5, 9), ("ended", 0, 1)]


def test_the_same_session_id_of_two_people_is_two_sessions(connection, log):
    log.add([event("login", 0), event("login", 1, actor_id="8"), event("logout", 2, actor_id="8")])
    assert states(connection, log) == [("ended", 1, 2), ("open", 0, None)]


def test_an_impersonation_is_a_session_of_its_own_within_that_of_the_person(connection, log):
    as_bob = {"target_id": "9", "target_name": "Bob"}
    log.add([
        event("login", 0),
        event("impersonate", 10, **as_bob),
        event("impersonation_ended", 20, **as_bob),
        event("logout", 30),
    ])  # fmt: skip
    first, second = sessions(connection, log)
    assert (first["kind"], first["as_name"], *minutes(first)) == ("impersonation", "Bob", 10, 20)
    assert (second["kind"], second["as_id"], *minutes(second)) == ("login", "", 0, 30)


def test_events_that_come_in_another_order_or_twice_make_the_same_session(connection, log):
    login, logout = event("login", 0), event("logout", 30)
    [ended] = log.add([logout])
    log.add([login])
    log.add([{**logout, "event_id": ended}])
    assert states(connection, log) == [("ended", 0, 30)]


def test_filters_choose_by_the_beginning_the_actor_and_the_state(connection, log):
    log.add(
        [
            event("login", 0),
            event("login", 5, session_id="s2", actor_id="8"),
            event("logout", 65, session_id="s2", actor_id="8"),
        ]
    )
    early = Timeframe(until=START + timedelta(minutes=5))
    assert states(connection, log, timeframe=early) == [("open", 0, None)]
    assert states(connection, log, actors=("8",)) == [("ended", 5, 65)]
    assert states(connection, log, states=("open",)) == [("open", 0, None)]


def test_pages_are_complete_and_of_one_account(connection, log, other):
    log.add([event("login", number // 3, session_id=f"s{number}") for number in range(2100)])
    other.add([event("login", 1)])
    found = sessions(connection, log)
    assert len({session["session_id"] for session in found}) == len(found) == 2100
    assert [s["session_id"] for s in sessions(connection, log, limit=5)] == [
        s["session_id"] for s in found[:5]
    ]


def test_the_command_shows_a_table_and_json_to_who_may_view_on_any_plan(stack, log):
    def run(*more):
        command = [AUDIT, "session", "list", "--account", log.account, "--as", VIEWER, *more]
        environment = {"AUDIT_CLICKHOUSE": stack.clickhouse, "COLUMNS": "140", "PATH": ""}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    log.add([event("login", 0, place="Berlin, Germany"), event("logout", 61)])
    assert run().returncode == 4
    log.let_in(VIEWER, Permission.VIEW)
    log.describe_account(plan="Mighty", zone="Europe/Berlin")
    table = run()
    assert "1 session, times in Europe/Berlin" in table.stderr
    assert "2026-03-02 10:00:00" in table.stdout
    assert "1 h 01 min" in table.stdout
    assert "203.0.113.7 (Berlin, Germany)" in table.stdout
    [line] = run("--json").stdout.splitlines()
    assert json.loads(line)["duration_seconds"] == 3660
