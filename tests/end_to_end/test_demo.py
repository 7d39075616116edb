"""`audit demo`: what a newcomer sees first is counted, and reads back as it was published."""

import csv
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import openpyxl
from command import AUDIT


def demo(folder: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    done = subprocess.run(
        [AUDIT, "demo", "--output", str(folder), *arguments],
        env={**os.environ, "COLUMNS": "160"}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return done, json.loads((folder / "summary.json").read_text())


def csv_rows(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def sheet(path: str) -> list[tuple[Any, ...]]:
    book = openpyxl.load_workbook(path, read_only=True)
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    book.close()
    return rows


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
    for seen in ("Grace Hopper", "203.0.113.99", "Failed to sign in: wrong password", "Smart Rules"):
        assert seen in done.stdout
    assert any("María García" in row["Action"] for row in rows)
    everything = done.stdout + Path(summary["csv"]).read_text()
    assert "a better one" not in everything, "a password has left the service"


def test_ones_own_events_come_out_as_many_as_went_in(tmp_path: Path) -> None:
    lines = [
        json.dumps(
            {
                "account": f"account-{number % 2}",
                "occurred_at": f"201{number % 10}-03-01T09:00:00Z",
                "action": "update",
                "target": {"type": "defect", "id": str(number), "name": "=1+1"},
                "changes": [
                    {"field": "status", "old": None, "new": "---"},
                    {"field": "status", "old": "---", "new": ""},
                ],
            }
        )
        for number in range(40)
    ]
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join([*lines, "no event"]) + "\n")

    done, summary = demo(tmp_path / "out", "--input", str(file))

    assert done.returncode == 0, done.stderr
    assert [summary[name] for name in ("published", "stored", "csv_rows", "xlsx_rows")] == [40] * 4
    assert (tmp_path / "out" / "rejected.jsonl").read_text() == "no event\n"
    assert {row["Account"] for row in csv_rows(summary["csv"])} == {"account-0", "account-1"}
    assert not any(str(cell).startswith("=") for row in sheet(summary["xlsx"]) for cell in row)
