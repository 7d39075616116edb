"""What became of the cases: one row each, as a table for people and as JSON."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

COLUMNS: Mapping[str, str] = {
    "acknowledged, not received": "lost",
    "acknowledged, not in the log": "lost",
    "missing": "lost",
    "refused, not in the dead letters": "lost",
    "twice in the log": "doubled",
    "twice": "doubled",
    "twice in the dead letters": "doubled",
    "in another window": "wrong window",
    "shown early": "wrong window",
    "batched in another window": "wrong window",
    "batched in two windows": "wrong window",
    "batched early": "wrong window",
    "out of order": "out of order",
    "of one target, out of order": "out of order",
    "of one target, in two partitions": "out of order",
}
"""A fault's column; whatever is not here is counted as `other`."""
COUNTS = ("lost", "doubled", "wrong window", "out of order", "other")
_HEAD = ["case", "runs", "events", "kills", *COUNTS, "recovery"]


def counted(faults: Mapping[str, Collection[Any]]) -> dict[str, int]:
    """How many events are wrong in each column."""
    counts = dict.fromkeys(COUNTS, 0)
    for what, where in faults.items():
        counts[COLUMNS.get(what, "other")] += len(where)
    return counts


@dataclass
class Row:
    """One case in all of its runs."""

    case: str
    runs: int = 0
    events: int = 0
    """Acknowledged ones."""
    kills: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    recoveries: dict[str, list[float]] = field(default_factory=dict)
    """By what was killed: seconds until what was published after it is in ClickHouse; only where measured."""
    failures: list[str] = field(default_factory=list)
    """What was wrong beside the counts, as when a case could not be carried through."""
    repeat: str = ""
    """The command that repeats it."""

    @property
    def held(self) -> bool:
        """Whether everything is as it must be."""
        return not self.failures and not any(self.counts.values())


class Report:
    """The rows of one session of tests."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._rows: dict[str, Row] = {}

    def add(self, new: Row) -> None:
        """Add one run; those of one case are added up."""
        row = self._rows.setdefault(new.case, Row(new.case, repeat=new.repeat))
        row.runs += new.runs
        row.events += new.events
        row.kills += new.kills
        row.counts = {name: number + new.counts[name] for name, number in row.counts.items()}
        for what, seconds in new.recoveries.items():
            row.recoveries.setdefault(what, []).extend(seconds)
        row.failures += new.failures

    @property
    def rows(self) -> Sequence[Row]:
        """In the order of their first runs."""
        return list(self._rows.values())

    def table(self) -> list[str]:
        """As lines of text, with a last one of sums; a case that did not hold is marked."""
        body = self._body()
        widths = [max(len(cells[number]) for cells in [_HEAD, *body]) for number in range(len(_HEAD))]
        return [_line(cells, widths) for cells in [_HEAD, ["-" * width for width in widths], *body]]

    def markdown(self) -> list[str]:
        """The same for a document."""
        rules = ["---", *["---:"] * (len(_HEAD) - 2), "---"]
        return ["| " + " | ".join(cells) + " |" for cells in [_HEAD, rules, *self._body()]]

    def _body(self) -> list[list[str]]:
        return [_cells(row) for row in [*self.rows, self._sum()]]

    def _sum(self) -> Row:
        total = Report(self.seed)
        for row in self.rows:
            total.add(Row(**{**asdict(row), "case": "all"}))
        return next(iter(total.rows), Row("all"))

    def save(self, path: Path) -> None:
        """Write it as JSON, and as a table beside it that a document can take over."""
        path.parent.mkdir(exist_ok=True)
        table = "\n".join(self.markdown())
        path.with_suffix(".md").write_text(f"Seed {self.seed}.\n\n{table}\n")
        document = {"seed": self.seed, "held": all(row.held for row in self.rows)}
        cases = [{**_recovery(row), **asdict(row), "held": row.held} for row in self.rows]
        path.write_text(json.dumps({**document, "cases": cases}, indent=2) + "\n")


def _recovery(row: Row) -> dict[str, float | None]:
    found = [seconds for measured in row.recoveries.values() for seconds in measured]
    return {
        "recovery_median": round(median(found), 2) if found else None,
        "recovery_worst": round(max(found), 2) if found else None,
    }


def _cells(row: Row) -> list[str]:
    found = _recovery(row)
    recovery = (
        f"{found['recovery_median']:.1f} s, worst {found['recovery_worst']:.1f} s" if row.recoveries else ""
    )
    numbers = [row.runs, row.events, row.kills, *(row.counts[name] for name in COUNTS)]
    name = row.case if row.held else f"{row.case} FAILED"
    return [name, *(f"{number:,}" for number in numbers), recovery]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *numbers, last = cells
    middle = [cell.rjust(width) for cell, width in zip(numbers, widths[1:-1], strict=True)]
    return "  ".join([first.ljust(widths[0]), *middle, last]).rstrip()
