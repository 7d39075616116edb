"""Log-ins by `audit user` on the real ClickHouse: each may do what its role needs, and nothing else."""

import json
import os
import subprocess
from typing import Any

import pytest
import sinking
from command import AUDIT
from enriching import enriched
from log_ins import log_ins
from log_rows import Log

from audit_exporter.clickhouse import Connection
from audit_exporter.parameters import Query
from audit_schemas.settings import ClickHouse
from audit_schemas.topics import EVENTS
from audit_schemas.wire import encode
from audit_sinks import migrations
from audit_sinks.clickhouse import connect, query
from audit_sinks.errors import Misconfigured, Unreachable
from audit_sinks.users.limits import LIMITS
from audit_sinks.users.objects import OF_AN_ACCOUNT, OF_EVERYONE, OF_OPERATORS
from audit_sinks.users.roles import Role

ODD = "o'neill \\ ${users.default.password} <&> 東京"


@pytest.fixture(scope="module")
def accounts(stack: Any):
    """Four accounts with one event each; one has a name that could be read as SQL, XML or a substitution."""
    logs = [Log(stack.clickhouse) for _ in range(4)]
    logs[3].account = ODD
    for log in logs:
        log.add([{"description": f"of {log.account}"}])
        log.close()
    return [log.account for log in logs]


@pytest.fixture(scope="module")
def users(stack: Any, accounts: list[str]):
    """One log-in of each kind, by what it is for."""
    first, second, _, odd = accounts
    with log_ins(stack) as make:
        yield {
            "one": make("analyst", first, wait=False),
            "several": make("analyst", first, second, wait=False),
            "odd": make("analyst", odd, wait=False),
            "all": make("analyst", wait=False),
            "exporter": make("exporter", wait=False),
            "ingest": make("ingest", wait=False),
            "admin": make("admin"),
        }


def descriptions(server: ClickHouse) -> set[str]:
    with connect(server) as client:
        return {row["description"] for row in query(client, "SELECT description FROM audit_log")}


@pytest.mark.parametrize(("user", "seen"), [("one", [0]), ("several", [0, 1]), ("odd", [3])])
def test_an_analyst_sees_the_accounts_that_were_named(users, accounts, user, seen):
    assert descriptions(users[user]) == {f"of {accounts[number]}" for number in seen}


@pytest.mark.parametrize("user", ["all", "exporter", "admin"])
def test_who_is_bound_to_no_account_sees_all(users, accounts, user):
    assert descriptions(users[user]) >= {f"of {account}" for account in accounts}


@pytest.mark.parametrize("user", ["one", "all", "exporter"])
def test_a_reader_reads_what_belongs_to_accounts_and_writes_nothing(users, user):
    with connect(users[user]) as client:
        for name in OF_AN_ACCOUNT:
            query(client, f"SELECT * FROM {name} LIMIT 1")
        assert query(client, "SELECT partitions FROM completeness")
        for name in OF_OPERATORS:
            with pytest.raises(Misconfigured, match="497"):
                query(client, f"SELECT * FROM {name} LIMIT 1")
        with pytest.raises(Misconfigured, match=r"164|497"):
            query(client, "INSERT INTO accounts (account_id, name, zone) SELECT 'x', 'x', 'UTC'")


def test_every_table_and_view_has_a_rule(stack):
    with connect(ClickHouse.from_url(stack.clickhouse)) as client:
        found = query(client, "SELECT name FROM system.tables WHERE database = currentDatabase()")
        bound = query(
            client,
            "SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'account_id'",
        )
    assert {row["name"] for row in found} >= {*OF_AN_ACCOUNT, *OF_EVERYONE, *OF_OPERATORS}
    assert {row["table"] for row in bound} == {*OF_AN_ACCOUNT}


def test_the_ingest_user_inserts_what_the_sink_inserts(users, accounts):
    change = enriched(account=accounts[0])
    assert sinking.insert(users["ingest"], EVENTS.name, encode(change)) == []
    with connect(users["admin"]) as client:
        found = query(
            client,
            "SELECT count() AS found FROM audit_events WHERE event_id = %(id)s",
            {"id": str(change.id)},
        )
    assert found == [{"found": 1}]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count() FROM audit_events",
        "SELECT * FROM audit_log",
        "INSERT INTO accounts (account_id, zone) SELECT account_id, 'UTC' FROM actors",
        "INSERT INTO dead_letter_handling (dead_letter_id) SELECT generateUUIDv4()",
        "ALTER TABLE audit_events DELETE WHERE 1",
        "TRUNCATE TABLE audit_events",
        "OPTIMIZE TABLE audit_events",
        "DROP TABLE audit_events",
        "SELECT * FROM system.parts",
    ],
)
def test_the_ingest_user_only_inserts(users, sql):
    with connect(users["ingest"]) as client, pytest.raises(Misconfigured, match=r"497|392"):
        query(client, sql)


def test_the_admin_migrates_and_does_nothing_outside_of_the_database(users):
    with connect(users["admin"], database="default") as client:
        assert list(migrations.apply(client, users["admin"].database)) == []
        query(client, f"CREATE TABLE {users['admin'].database}.tried (n UInt8) ENGINE = Memory")
        query(client, f"DROP TABLE {users['admin'].database}.tried")
        for sql in ("CREATE DATABASE other", "CREATE TABLE default.tried (n UInt8) ENGINE = Memory"):
            with pytest.raises(Misconfigured, match="497"):
                query(client, sql)


def test_no_limit_of_an_analyst_can_be_raised_whatever_the_profile(users):
    limits = LIMITS[Role.ANALYST]
    with connect(users["one"]) as client:
        query(client, "SET profile = 'default'")
        for name, most in limits.most.items():
            (row,) = query(client, f"SELECT toUInt64(getSetting('{name}')) AS value")
            assert (name, row["value"]) == (name, most)
            for value in (0, most + 1):
                with pytest.raises(Misconfigured, match=r"452|164"):
                    query(client, f"SET {name} = {value}")


def test_a_query_beyond_the_limits_is_an_error_and_no_part_of_an_answer(users):
    with connect(users["one"]) as client:
        with pytest.raises((Misconfigured, Unreachable), match=r"158|396"):
            query(client, "SELECT number FROM numbers(2000000000)")
        with pytest.raises((Misconfigured, Unreachable), match="241"):
            query(client, "SELECT length(groupArray(number)) FROM numbers(499000000)")


def test_a_log_in_comes_and_goes_while_the_server_goes_on(stack):
    if not hasattr(stack, "pid"):
        pytest.skip("the server is not ours to look at")
    environment = {**os.environ, **stack.environment}

    def run(*arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [AUDIT, "user", *arguments],
            env=environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )

    pid = stack.pid("clickhouse")
    made = run(
        "create", "ada", "--role", "analyst", "--account", ODD, "--password-stdin", given="battery staple 9\n"
    )
    assert (made.returncode, made.stdout) == (0, ""), made.stderr
    # Of the embedded server, which guards its tables and not its files, that is said.
    assert "warning: whoever logs in to this server can read its files" in made.stderr
    address = stack.clickhouse.split("@")[1]
    ada = ClickHouse.from_url(f"clickhouse://ada:battery staple 9@{address}")
    with Connection(ada) as connection:
        assert connection.read(Query("SELECT currentUser()", {})).rows == [("ada",)]

        listed = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
        assert {"name": "ada", "role": "analyst", "accounts": [ODD], "current": True} in listed
        again = run("create", "ada", "--role", "admin")
        assert (again.returncode, again.stdout) == (1, "")
        assert "audit user remove" in again.stderr or "choose another name" in again.stderr

        assert run("remove", "ada").returncode == 0
        with pytest.raises(Misconfigured, match="refuses the log-in"):
            connection.read(Query("SELECT 1", {}))
    assert stack.pid("clickhouse") == pid


def test_a_log_in_that_the_server_has_from_elsewhere_stays_as_it_is(stack):
    if "AUDIT_CLICKHOUSE_USERS" not in stack.environment:
        pytest.skip("the server's configuration is out of reach")
    environment = {**os.environ, **stack.environment}
    done = subprocess.run(
        [AUDIT, "user", "create", "default", "--role", "admin"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "has a log-in 'default' already" in done.stderr
