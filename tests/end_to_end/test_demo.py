"""`audit demo`: what a newcomer sees first is counted, and reads back as it was published."""

import csv
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import openpyxl
from command import AUDIT

WAITS = "waiting for the window"


def demo(folder: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    done = subprocess.run(
        [AUDIT, "demo", "--output", str(folder), *arguments],
        env={**os.environ, "COLUMNS": "160"}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    summary = folder / "summary.json"
    assert summary.exists(), done.stderr
    return done, json.loads(summary.read_text())


def shown(done: subprocess.CompletedProcess[str], command: str) -> tuple[str, str]:
    """A command as it was shown, and what it printed."""
    _, _, after = done.stdout.partition(f"$ audit {command} ")
    line, _, printed = after.partition("\n")
    return line, printed.partition("\n$ audit")[0]


def csv_rows(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def sheet(path: str) -> list[tuple[Any, ...]]:
    book = openpyxl.load_workbook(path, read_only=True)
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    book.close()
    return rows


def event(account: str, kind: str, identifier: str, **fields: object) -> str:
    return json.dumps(
        {
            "account": account,
            "occurred_at": "2024-03-01T09:00:00Z",
            "action": "update",
            "target": {"type": kind, "id": identifier, "name": "=1+1"},
            **fields,
        }
    )


def phone(old: str | None, new: str) -> dict[str, Any]:
    return {"changes": [{"field": "phone", "old": old, "new": new}]}


def test_the_scripted_day_is_stored_shown_and_exported_whole(tmp_path: Path) -> None:
    done, summary = demo(tmp_path)

    assert done.returncode == 0, done.stderr
    counts = {summary[name] for name in ("published", "stored", "csv_rows", "xlsx_rows")}
    assert len(counts) == 1
    assert counts.pop() > 30
    assert summary["dead_letters"] == 0
    rows = csv_rows(summary["csv"])
    assert len(rows) == summary["csv_rows"]
    assert len(sheet(summary["xlsx"])) == summary["xlsx_rows"] + 1
    everything = Path(summary["csv"]).read_text()
    for seen in ("Grace Hopper", "203.0.113.99", "Failed to sign in: wrong password", "Smart Rules"):
        assert seen in everything
    assert "Failed: Deleted role Interns" in shown(done, "log list")[1]
    assert any("María García" in row["Action"] for row in rows)
    assert "a better one" not in done.stdout + everything, "a password has left the service"
    _the_contact_is_found_and_its_activity_told(done)
    contacts = sum(row["Target"] == "Contacts" for row in rows)
    assert summary["contact_changes"] == contacts > 10
    assert 0 < summary["contact_batches"] <= contacts


def _the_contact_is_found_and_its_activity_told(done: subprocess.CompletedProcess[str]) -> None:
    command, found = shown(done, "contact find")
    assert command == "'+34 600 555 010' --account northwind --as 2"
    for seen in ("501", "María García López", "+34 600 555 099", "former"):
        assert seen in found
    command, activity = shown(done, "contact activity")
    assert command.startswith("501 --account northwind --as 2 ")
    for seen in (
        "Primary phone number: +34 600 555 010 -> +34 600 555 099",
        "Custom field tier: gold -> platinum",
        "Name: María García -> María García López",
        "Azure AD sync",
        "azure-ad-2041",
        "Bulk import for Linus Pauling",
        "import-88",
    ):
        assert seen in activity, activity


def test_events_without_contacts_come_out_as_many_as_went_in_and_wait_for_no_window(tmp_path: Path) -> None:
    twice = [
        {"field": "status", "old": None, "new": "---"},
        {"field": "status", "old": "---", "new": ""},
    ]
    lines = [
        event(f"account-{number % 2}", kind, str(number), changes=twice)
        for number in range(20)
        for kind in ("defect", "company")  # a company is of the module of contacts, and no contact
    ]
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join([*lines, "no event"]) + "\n")

    done, summary = demo(tmp_path / "out", "--input", str(file))

    assert done.returncode == 0, done.stderr
    assert [summary[name] for name in ("published", "stored", "csv_rows", "xlsx_rows")] == [40] * 4
    assert (summary["contact_changes"], summary["contact_batches"]) == (0, 0)
    assert WAITS not in done.stderr
    assert "audit contact" not in done.stdout
    assert (tmp_path / "out" / "rejected.jsonl").read_text() == "no event\n"
    assert {row["Account"] for row in csv_rows(summary["csv"])} == {"account-0", "account-1"}
    assert not any(str(cell).startswith("=") for row in sheet(summary["xlsx"]) for cell in row)


def test_contact_changes_of_ones_own_are_awaited_counted_and_shown_to_the_auditor(tmp_path: Path) -> None:
    live = [
        event("acme", "contact", "42", **phone("1", "2")),
        event("bolt", "contact", "42", **phone("7", "8")),
    ]
    history = [event("acme", "contact", "42", recorded="backfill", **phone(None, "1"))]
    bad = ["[1]", json.dumps({"account": "x" * 1000}), event("", "contact", "1")]
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join([*live, event("acme", "defect", "9"), *history, *bad]) + "\n")

    done, summary = demo(tmp_path / "out", "--input", str(file))

    assert done.returncode == 0, done.stderr
    assert [summary[name] for name in ("published", "stored", "csv_rows", "xlsx_rows")] == [4] * 4
    assert (summary["contact_changes"], summary["contact_batches"]) == (3, 3)
    command, activity = shown(done, "contact activity")
    assert command.startswith("42 --account acme --as demo-auditor ")
    assert "Primary phone number: 1 -> 2" in activity
    assert "Primary phone number: null -> 1" in activity
    assert "7 -> 8" not in activity, "another account's change"
    assert (tmp_path / "out" / "rejected.jsonl").read_text().splitlines() == bad
