"""The README's questions, run as they stand there, answer what they ask; and only about their account."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from log_rows import Log

from audit_exporter.parameters import Query

_README = Path(__file__).parents[2] / "README.md"
_BLOCK = re.compile(r"Ten questions:\n\n```sql\n(.*?)```", re.DOTALL)
_AGENT = {"target_type": "agent", "target_id": "7", "module": "login_and_logout", "ip": "203.0.113.7"}


def questions():
    """The statements by their first line."""
    (block,) = _BLOCK.findall(_README.read_text())
    statements = filter(None, (text.strip() for text in block.split(";\n")))
    return {text.partition("\n")[0].removeprefix("-- "): text for text in statements}


QUESTIONS = questions()


def at(**ago):
    return datetime.now(UTC) - timedelta(**ago)


def yesterday():
    return datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)


def login(minutes, **more):
    return {
        **_AGENT,
        "action_type": "login",
        "occurred_at": at(minutes=minutes),
        "session_id": str(minutes),
        **more,
    }


def phone(old, new, **more):
    return {"changes": [("phone", "Phone", f'"{old}"', f'"{new}"')], **more}


ANSWERS = {
    "Who deleted what yesterday?": (
        [
            {"action_type": "delete", "target_id": "1", "occurred_at": yesterday()},
            {"action_type": "delete", "target_id": "2", "occurred_at": yesterday(), "outcome": "failure"},
            {"action_type": "delete", "target_id": "3", "occurred_at": at(seconds=0)},
            {"action_type": "update", "target_id": "4", "occurred_at": yesterday()},
        ],
        ["target_id"],
        [("1",)],
    ),
    "From where did each agent sign in for the first time?": (
        [
            login(30, country="DE"),
            login(20, country="FR"),
            login(10, country="DE"),
            login(5, country="US", outcome="failure"),
        ],
        ["actor_id", "country"],
        [("7", "FR"), ("7", "DE")],
    ),
    "All that one actor did from one address, or one network.": (
        [
            {"description": "one"},
            {"description": "two", "ip": "10.0.0.1"},
            {"description": "three", "actor_id": "8"},
            {"description": "four", "ip": ""},
            {"description": "five", "ip": "2001:db8::1"},
        ],
        ["description"],
        [("one",)],
    ),
    "Which roles and permissions were changed in this quarter, and by whom?": (
        [
            {"module": "roles_and_permissions", "occurred_at": at(seconds=1), **phone("a", "b")},
            {"module": "roles_and_permissions", "occurred_at": at(days=100), **phone("c", "d")},
            {"module": "contacts", "occurred_at": at(seconds=1), **phone("e", "f")},
        ],
        ["old_value", "new_value"],
        [('"a"', '"b"')],
    ),
    "Which contacts are changed most?": (
        [
            {"target_id": key, "occurred_at": at(days=days)}
            for key, days in (("a", 1), ("b", 1), ("b", 2), ("a", 91))
        ],
        ["target_id", "changes"],
        [("b", 2), ("a", 1)],
    ),
    "What did one import or one run of a sync do?": (
        [
            {"batch_id": "import-17", "action_type": "create", "target_id": "1"},
            {"batch_id": "import-17", "action_type": "create", "target_id": "1", "outcome": "failure"},
            {"batch_id": "import-18", "action_type": "create"},
        ],
        ["action_type", "events", "targets", "failed"],
        [("create", 2, 1, 1)],
    ),
    "Who had this phone number before?": (
        [
            {"target_id": "1", **phone("+1 555-0100", "2")},
            {"target_id": "2", **phone("1", "+1 555 0100")},
            {"target_id": "3", "target_type": "agent", **phone("15550100", "2")},
        ],
        ["target_id"],
        [("1",)],
    ),
    "Which addresses fail to sign in again and again?": (
        [login(minutes, outcome="failure", actor_id=str(minutes)) for minutes in (1, 2, 3)]
        + [login(4, outcome="failure", ip="10.0.0.1")],
        ["ip", "failures", "actors"],
        [("203.0.113.7", 3, 3)],
    ),
    "What came through the API, an integration or a job, and for whom?": (
        [
            {
                "actor_type": kind,
                "actor_name": name,
                "on_behalf_of_name": behind,
                "occurred_at": at(days=days),
            }
            for kind, name, behind, days in (
                ("integration", "Zapier", "Ada", 1),
                ("integration", "Zapier", "Ada", 2),
                ("system", "Nightly job", "", 3),
                ("agent", "Ada", "", 1),
                ("integration", "Zapier", "Ada", 31),
            )
        ],
        ["actor_name", "on_behalf_of_name", "events"],
        [("Zapier", "Ada", 2), ("Nightly job", "", 1)],
    ),
    "Who read the log, took it away, or was refused?": (
        [
            {
                "target_type": "audit_log",
                "action_type": "view",
                "outcome": "failure",
                "on_behalf_of_name": "Bo",
            },
            {},
        ],
        ["operator", "viewer", "outcome"],
        [("Ada Lovelace", "Bo", "failure")],
    ),
}


def test_there_are_ten_and_each_has_an_answer():
    assert len(QUESTIONS) == 10
    assert QUESTIONS.keys() == ANSWERS.keys()


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_answered(stack, connection, log, question):
    events, columns, expected = ANSWERS[question]
    other = Log(stack.clickhouse)
    for account in (log, other):
        account.add(events)
    text = QUESTIONS[question]
    assert "account_id = 'acme'" in text
    answer = connection.read(Query(text.replace("'acme'", "{account:String}"), {"account": log.account}))
    assert [tuple(row[name] for name in columns) for row in answer.dicts()] == expected
    other.close()
