"""When `audit status` says that the pipeline is behind, and when it does not."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from looks import NOON, clickhouse, look, stored, waiting
from rich.console import Console

from audit_sinks.commands.status_view import document, drawn
from audit_sinks.errors import Unreachable
from audit_sinks.monitoring.observer import Look
from audit_sinks.status import Status
from audit_sinks.sync import Sync

NEXT = NOON + timedelta(hours=3)
AWAY = {"Kafka": Unreachable("Kafka does not answer")}


def screen(found: Status) -> str:
    text = StringIO()
    Console(width=120, file=text).print(drawn(found))
    return text.getvalue()


@pytest.mark.parametrize(
    "seen",
    [
        look(),
        look(waiting(9, NOON - timedelta(seconds=59)), waiting(1_000_000, NOON, partition=1)),
        look(waiting(1)),
        look(stored=stored(NOON - timedelta(seconds=119))),
        look(stored=stored(sync=Sync(next_sync_at=NEXT, pending=312))),
    ],
    ids=["all is done", "many, but new", "a transaction's end", "a mark on its way", "a window is open"],
)
def test_what_is_not_late_is_not_behind(seen: Look) -> None:
    assert Status(look=seen).behind == []


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (
            look(waiting(9, NOON), waiting(1, NOON - timedelta(seconds=60), partition=1)),
            "10 records of audit.events.v1 wait for audit-sink, the first for 1 min",
        ),
        (
            look(stored=stored(NOON - timedelta(minutes=3))),
            "partition 2 of audit.changes is complete only up to 3 min ago",
        ),
        (
            look(stored=stored(None)),
            "partition 2 has no mark yet, so nothing is known to be complete: is `audit processor run` up?",
        ),
        (
            look(clickhouse=clickhouse(pending_migrations=("0009_completeness",)), stored=None),
            "migrations are pending",
        ),
        (look(kafka=None, problems=AWAY), "Kafka does not answer"),
        (
            look(stored=stored(sync=Sync(next_sync_at=NEXT, pending=9, overdue=1, complete_until=NOON))),
            "1 of them",
        ),
    ],
)
def test_what_is_late_is_behind_and_says_why(seen: Look, reason: str) -> None:
    (said,) = Status(look=seen).behind
    assert reason in said


def test_without_patience_one_record_is_behind() -> None:
    for position in (waiting(1, NOON), waiting(1)):
        assert len(Status(look=look(position), patience=timedelta(0)).behind) == 1
    assert Status(look=look(), patience=timedelta(0)).behind == []


def test_a_person_sees_ages_and_what_runs_out_first() -> None:
    shown = screen(Status(look=look(waiting(1234, NOON - timedelta(minutes=5)))))
    for words in (
        "2026-03-02 11:59:56 UTC, 4 s ago",
        "6 d 22 h: Kafka's retention of audit.contact-changes.v1 runs out first",
        "3 open",
        "audit-sink       audit.events.v1     1,234   5 min",
    ):
        assert words in shown


def test_what_could_not_be_read_is_not_shown_as_if_it_were_nothing() -> None:
    found = Status(look=Look(at=NOON, problems=AWAY))
    assert screen(found).count("not known") == 4
    said = json.loads(document(found))
    assert (said["dead_letters"], said["sync"], said["safe_for"], said["complete_through"]) == (None,) * 4
    assert (said["behind"], said["reasons"]) == (True, ["Kafka does not answer"])
