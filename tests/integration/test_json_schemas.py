"""What `--json` prints is what its schema says: every line, and nothing that the schema does not name."""

import json
import subprocess

import pytest
from command import AUDIT
from jsonschema import Draft202012Validator
from log_rows import START, VIEWER


@pytest.fixture
def run(stack, log):
    log.let_in(VIEWER)

    def run(*arguments):
        more = {"AUDIT_ACCOUNT": log.account, "AUDIT_AS": VIEWER, "PATH": "/usr/bin:/bin"}
        done = subprocess.run(
            [AUDIT, *arguments],
            env={**stack.environment, **more},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    return run


@pytest.mark.parametrize(
    ("schema", "command"),
    [
        (("log", "schema"), ("log", "list")),
        (("log", "schema", "list"), ("log", "list", "--fold")),
        (("log", "schema", "count"), ("log", "count", "--by", "module", "--by", "day")),
        (("log", "schema", "undo"), ("log", "view", "--batch", "b", "--undo")),
        (("session", "schema"), ("session", "list")),
        (("contact", "schema", "find"), ("contact", "find", "Grace")),
        (("contact", "schema"), ("contact", "activity", "4711")),
        (("contact", "schema", "activity"), ("contact", "activity", "4711", "--include-pending")),
    ],
)
def test_every_line_is_what_the_schema_says(log, run, schema, command):
    changes = [("phone", "Phone", '"1"', "null"), ("city", "", "", '{"a": [1.10]}')]
    related = [("agent", "9", "Bo", "")]
    log.add_synced(
        [
            {"changes": changes, "related": related, "batch_id": "b", "request_id": "r"},
            {"request_id": "r", "metadata": '{"ticket": 4711}', "window_start": START, "window_end": START},
            {"action_type": "login", "target_type": "agent", "module": "login_and_logout", "session_id": "s"},
        ]
    )
    log.add([{"window_start": START, "window_end": START}])
    described = json.loads(run(*schema))
    Draft202012Validator.check_schema(described)
    validator = Draft202012Validator(described, format_checker=Draft202012Validator.FORMAT_CHECKER)
    lines = [
        json.loads(line) for line in run(*command, *(() if "--undo" in command else ("--json",))).splitlines()
    ]
    assert lines
    for line in lines:
        assert [error.message for error in validator.iter_errors(line)] == []
        spoilt = {**line, "unheard_of": 1}
        assert list(validator.iter_errors(spoilt)) or schema[-1] in ("undo", "find")


def test_every_property_says_what_it_is(run):
    for schema in (("log", "schema"), ("session", "schema"), ("contact", "schema")):
        described = json.loads(run(*schema))["properties"]
        assert all(
            given.get("description") for name, given in described.items() if name not in ("folded", "pending")
        )
