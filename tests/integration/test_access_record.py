"""Who reads the log stands in the log: each refusal, and each reading where the account wants that."""

import getpass
import json
import subprocess
from uuid import uuid4

import pytest
from command import AUDIT
from kafka_records import records_of
from log_rows import VIEWER

from audit_schemas.permissions import Permission
from audit_schemas.topics import CHANGES
from audit_schemas.wire import decode_event


@pytest.fixture
def run(stack):
    def run(*arguments, **more):
        environment = {**stack.environment, "PATH": "/usr/bin:/bin", "COLUMNS": "120", **more}
        return subprocess.run(
            [AUDIT, *arguments], env=environment, capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture
def told(stack):
    def told(account):
        """What the log was told in an account."""
        keyed = (record for record in records_of(stack.kafka, CHANGES.name) if record.key())
        found = (decode_event(record.value())[0] for record in keyed if account.encode() in record.key())
        return [event for event in found if event.account == account]

    return told


def who(log, actor=VIEWER):
    return ("--account", log.account, "--as", actor)


def test_a_refusal_is_recorded_with_its_reason_and_on_whose_behalf(log, run, told):
    log.describe("9", (Permission.ACTIVITY,))
    log.describe_account()
    refused = run("log", "list", *who(log, "9"), "--search", "salary")
    assert refused.returncode == 4
    assert "warning" not in refused.stderr
    [event] = told(log.account)
    assert (event.action, event.outcome, event.target.type) == ("view", "failure", "audit_log")
    assert "View Audit logs" in event.outcome_reason
    assert event.actor.id == f"operator:{getpass.getuser()}"
    assert (event.actor.on_behalf_of.type, event.actor.on_behalf_of.id) == ("agent", "9")
    assert event.origin.address
    metadata = json.loads(bytes(event.metadata))
    assert (metadata["command"], metadata["asked"]["search"]) == ("audit log list", "salary")


def test_a_refused_export_is_one(log, run, told, tmp_path):
    log.describe("9", (Permission.VIEW,))
    assert run("export", "write", "--output", str(tmp_path), *who(log, "9")).returncode == 4
    assert [(event.action, event.outcome) for event in told(log.account)] == [("export", "failure")]


def test_a_reading_is_recorded_only_where_the_account_wants_it(log, run, told):
    log.let_in(VIEWER)
    log.describe_account()
    assert run("log", "list", *who(log)).returncode == 0
    assert told(log.account) == []
    log.describe_account(record_reads=True)
    for command in (("log", "list"), ("session", "list"), ("contact", "activity", "4711")):
        run(*command, *who(log))
    found = [(event.action, event.outcome, event.target.id) for event in told(log.account)]
    assert sorted(found) == [
        ("view", "success", "advanced"),
        ("view", "success", "basic"),
        ("view", "success", "contact"),
    ]


def test_what_cannot_be_recorded_is_not_read(log, run):
    log.let_in(VIEWER)
    log.add([{}])
    log.describe_account(record_reads=True)
    for kafka in ("", "127.0.0.1:1"):
        read = run("log", "list", "--json", *who(log), AUDIT_KAFKA=kafka)
        assert (read.returncode, read.stdout) == (1, "")
        assert "AUDIT_KAFKA" in read.stderr


def test_a_refusal_stands_though_it_cannot_be_recorded(log, run):
    log.describe("9", ())
    refused = run("log", "list", *who(log, "9"), AUDIT_KAFKA="")
    assert refused.returncode == 4
    assert "this refusal is not recorded: AUDIT_KAFKA" in refused.stderr


def test_an_account_that_nobody_has_gets_no_log(run, told):
    nobody, operators = f"nobody-{uuid4()}", f"operators-{uuid4()}"
    refused = run("log", "list", "--account", nobody, "--as", "7", AUDIT_OPERATOR_ACCOUNT=operators)
    assert refused.returncode == 4
    assert told(nobody) == []
    [event] = told(operators)
    assert json.loads(bytes(event.metadata))["account"] == nobody
