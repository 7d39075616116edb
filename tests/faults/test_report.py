"""The report itself: no fault can hide in it."""

import json
from pathlib import Path

from .report import COUNTS, Report, Row, counted


def row(case: str = "a case", **more: object) -> Row:
    return Row(case, runs=1, events=10, kills=1, repeat="make faults", **more)  # type: ignore[arg-type]


def test_each_fault_is_counted_in_its_column_and_an_unknown_one_as_other() -> None:
    faults = {"missing": [1], "twice in the log": [1, 2], "batched early": [1], "something new": [1, 2, 3]}
    assert counted(faults) == {"lost": 1, "doubled": 2, "wrong window": 1, "out of order": 0, "other": 3}


def test_a_case_that_failed_in_one_of_its_runs_has_failed(tmp_path: Path) -> None:
    report = Report(7)
    report.add(row(counts=counted({"missing": [1]})))
    report.add(row(recoveries={"sink": [1.0], "kafka": [3.0]}))
    report.add(row("another", failures=["the sink did not start"]))
    report.add(row("a third"))

    lines = report.table()
    report.save(tmp_path / "out" / "faults.json")
    saved = json.loads((tmp_path / "out" / "faults.json").read_text())

    assert [line.split("  ")[0] for line in lines[2:]] == [
        "a case FAILED",
        "another FAILED",
        "a third",
        "all FAILED",
    ]
    assert lines[2].split()[3:6] == ["2", "20", "2"]
    assert [case["held"] for case in saved["cases"]] == [False, False, True]
    assert (saved["seed"], saved["held"]) == (7, False)
    table = (tmp_path / "out" / "faults.md").read_text().splitlines()[2:]
    assert len(table) == len(lines)
    assert {line.count("|") for line in table} == {11}
    assert table[2] == "| a case FAILED | 2 | 20 | 2 | 1 | 0 | 0 | 0 | 0 | 2.0 s, worst 3.0 s |"
    assert (saved["cases"][0]["recovery_median"], saved["cases"][0]["recovery_worst"]) == (2.0, 3.0)


def test_a_report_in_which_all_is_well_says_so(tmp_path: Path) -> None:
    report = Report(7)
    report.add(row())
    report.save(tmp_path / "faults.json")
    assert json.loads((tmp_path / "faults.json").read_text())["held"] is True
    assert set(json.loads((tmp_path / "faults.json").read_text())["cases"][0]["counts"]) == set(COUNTS)
