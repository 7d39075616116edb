"""What a benchmark says: a value, a peer beside it in the same run, and the limit that both aim at."""

from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, kw_only=True)
class Result:
    """One measured value. Rates are higher-is-better, seconds and bytes lower."""

    name: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    limit_value: float | None = None
    """What could be reached at best: a bare loop, or an agreed bound."""

    def as_json(self) -> dict[str, Any]:
        """The form of out/bench.json."""
        return {
            **asdict(self),
            "ratio": _ratio(self.value, self.peer_value),
            "of_limit": _ratio(self.value, self.limit_value),
        }


def _ratio(value: float, other: float | None) -> float | None:
    return None if not other else round(value / other, 3)


def show(results: list[Result]) -> None:
    """Print the results as a table."""
    table = Table(box=None, pad_edge=False)
    for heading in ("WHAT", "VALUE", "UNIT", "PEER", "PEER'S", "RATIO", "LIMIT", "OF LIMIT"):
        table.add_column(heading, justify="left" if heading in {"WHAT", "UNIT", "PEER"} else "right")
    for result in results:
        row = result.as_json()
        table.add_row(
            result.name,
            _number(result.value),
            result.unit,
            result.peer or "",
            _number(result.peer_value),
            _number(row["ratio"]),
            _number(result.limit_value),
            _number(row["of_limit"]),
        )
    Console(width=130).print(table)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}"
