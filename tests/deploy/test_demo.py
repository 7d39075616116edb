"""What the demo says while it waits, when it stops waiting, and what it does not let pass."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from audit_deploy.demo.publishing import accounts_in
from audit_deploy.demo.summary import Summary
from audit_deploy.demo.sync import Countdown, Sync
from audit_deploy.demo.waiting import wait_until_synced
from audit_deploy.steps import Steps

NOTHING = {"live": "0", "backfill": "0", "synced": "0", "pending": "0", "due": "0", "next_sync_at": None}
PENDING = {**NOTHING, "live": "11", "pending": "11", "next_sync_at": 1010}
DUE = {**PENDING, "due": "11", "next_sync_at": 1020}
SYNCED = {**NOTHING, "live": "11", "synced": "11", "next_sync_at": 1020}
SUMMARY = Summary(
    published=40, stored=40, contact_changes=11, contact_batches=6, csv_rows=40, xlsx_rows=40, dead_letters=0,
    csv="a.csv", xlsx="a.xlsx",
)  # fmt: skip


class Answers:
    """Answers one query after the other, as ClickHouse does beside the stack."""

    def __init__(self, *rows):
        self.rows = list(rows)

    def row(self, _query):
        return self.rows.pop(0)


def waited(*rows) -> tuple[Sync, list[str], Answers]:
    """What is found, the lines that the person sees, and the answers that nobody asked for."""
    run, seen = Answers(*rows), io.StringIO()
    with Steps(Console(file=seen, width=100)) as steps:
        found = wait_until_synced(run, steps)
    return found, seen.getvalue().splitlines(), run


def test_nothing_is_waited_for_where_no_contact_changed():
    found, lines, _ = waited(NOTHING)

    assert (found.changes, found.synced, lines) == (0, 0, [])


def test_the_wait_ends_as_soon_as_nothing_is_pending():
    found, lines, run = waited(PENDING, DUE, SYNCED, PENDING)

    assert (found.changes, found.synced) == (11, 11)
    assert run.rows == [PENDING]
    assert len(lines) == 2
    assert lines[1].endswith("waiting for the window of 11 changes of contacts")


def test_history_is_waited_for_though_it_is_never_pending():
    on_the_way = {**NOTHING, "backfill": "3", "synced": "1"}

    found, lines, _ = waited(on_the_way, {**on_the_way, "synced": "3"})

    assert (found.changes, found.synced) == (3, 3)
    assert lines[0] == "2 changes on the way"


@pytest.mark.parametrize(
    ("row", "now", "said"),
    [
        (PENDING, 1003.0, "next sync in 7 s, 11 changes pending"),
        (PENDING, 1009.9, "next sync in 1 s, 11 changes pending"),
        ({**PENDING, "live": "1", "pending": "1"}, 1000.0, "next sync in 10 s, 1 change pending"),
        (PENDING, 1010.0, "the window is over, 11 changes on the way"),
        (DUE, 1011.0, "the window is over, 11 changes on the way"),
        ({**DUE, "due": "4"}, 1011.0, "next sync in 9 s, 11 changes pending"),
        (SYNCED, 1011.0, "nothing is pending"),
    ],
)
def test_the_person_is_told_when_the_next_sync_is_and_what_waits_for_it(row, now, said):
    assert Sync.of(row).told(now) == said


def test_a_countdown_is_told_anew_whenever_it_is_drawn():
    moments = iter([1003.0, 1004.0])
    countdown = Countdown(Sync.of(PENDING), clock=lambda: next(moments))
    seen = io.StringIO()
    console = Console(file=seen, width=100)

    console.print(countdown)
    console.print(countdown)

    assert [line.split(",")[0] for line in seen.getvalue().splitlines()] == [
        "next sync in 7 s",
        "next sync in 6 s",
    ]


def test_a_sum_that_adds_up_has_no_fault():
    assert SUMMARY.fault(contact_changes=11) is None


@pytest.mark.parametrize("name", ["published", "stored", "csv_rows", "xlsx_rows"])
def test_one_event_more_or_less_anywhere_is_a_fault(name):
    assert replace(SUMMARY, **{name: 41}).fault(contact_changes=11) == "the counts differ"


@pytest.mark.parametrize("found", [10, 12])
def test_a_change_missing_or_twice_in_the_activity_is_a_fault(found):
    fault = replace(SUMMARY, contact_changes=found).fault(contact_changes=11)

    assert fault == f"the contacts' activity holds {found} of 11 changes"


def test_accounts_are_those_that_a_files_lines_name_whatever_else_is_in_it(tmp_path):
    file = tmp_path / "events.jsonl"
    named = [json.dumps({"account": account}) for account in ("b", "a", "b", "", "x" * 1000, 7, None, ["c"])]
    file.write_bytes("\n".join([*named, "no event", "[1]", "7", "{}"]).encode() + b"\n\xff\n")

    assert accounts_in(file) == ("a", "b")
