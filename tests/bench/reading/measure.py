"""Fills the tables, asks each question until enough answers were timed, and says what came of it."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from results import Result
from rich.console import Console
from rich.table import Table

from audit_exporter.clickhouse import Connection
from audit_schemas.settings import ClickHouse
from reading import generator, storage
from reading.cases import LIMITS, Case, Read, cases
from reading.fill import PLAIN, fill

ACCOUNTS = {"largest": 0, "middle": 30, "small": 900}
"""By their ranks."""
_MOST_RUNS, _LEAST_RUNS = 20, 5


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The answers to one question about one account, in milliseconds."""

    account: str
    group: str
    name: str
    p50: float
    p95: float
    plain: float
    """The median of the plain table's."""


def measure(clickhouse: str, out: Path, *, events: int, seconds: float) -> list[Result]:
    """Measure everything on a log of so many events.

    Args:
        clickhouse: a clickhouse:// URL; its tables are emptied.
        out: the folder where reading.json with every question is left.
        events: rows of the log.
        seconds: how long one question is repeated.

    Returns:
        The slowest question of each kind, and what an event takes.
    """
    server = ClickHouse.from_url(clickhouse)
    began = time.monotonic()
    fill(server, events)
    filled = time.monotonic() - began
    with Connection(server) as ours, Connection(server.model_copy(update={"database": PLAIN})) as plain:
        timings = list(_timings(ours, plain, seconds))
        columns = {
            table: storage.bytes_by_column(ours, table) for table in ("audit_events", "contact_events")
        }
        of_json = storage.json_bytes(ours, generator.account(ACCOUNTS["middle"]))
        of_plain = sum(storage.bytes_by_column(plain, "audit_events").values())
        parts = storage.parts(ours, "audit_events")
    report = {
        "events": events,
        "parts": parts,
        "filling_seconds": filled,
        "timings": [asdict(timing) for timing in timings],
        "bytes": columns,
        "json_bytes": of_json,
        "plain_bytes": of_plain,
    }
    (out / "reading.json").write_text(json.dumps(report, indent=2) + "\n")
    _show(timings, columns["audit_events"])
    return [*_slowest(timings, events), *_sizes(columns, of_json, of_plain)]


def _timings(ours: Connection, plain: Connection, seconds: float) -> Iterator[Timing]:
    for size, rank in ACCOUNTS.items():
        for case in cases(ours, generator.account(rank)):
            yield _timing(size, case, ours, plain, seconds)


def _timing(size: str, case: Case, ours: Connection, plain: Connection, seconds: float) -> Timing:
    own = _repeated(case.read, ours, seconds, least=_LEAST_RUNS)
    peers = _repeated(case.plain, plain, seconds / 3, least=1)
    return Timing(
        account=size,
        group=case.group,
        name=case.name,
        p50=own[len(own) // 2],
        p95=own[min(len(own) - 1, len(own) * 95 // 100)],
        plain=peers[len(peers) // 2],
    )


def _repeated(read: Read, connection: Connection, seconds: float, *, least: int) -> list[float]:
    """Milliseconds of each answer, the shortest first. The first one is not counted: it warms the caches."""
    read(connection)
    taken: list[float] = []
    while len(taken) < least or (sum(taken) < seconds * 1000 and len(taken) < _MOST_RUNS):
        began = time.monotonic()
        read(connection)
        taken.append((time.monotonic() - began) * 1000)
    return sorted(taken)


def _slowest(timings: list[Timing], events: int) -> Iterator[Result]:
    for group in dict.fromkeys(timing.group for timing in timings):
        slowest = max((timing for timing in timings if timing.group == group), key=lambda timing: timing.p95)
        yield Result(
            name=f"{group} of {events / 1e6:g} million, p95 of the slowest",
            value=slowest.p95,
            unit="ms",
            peer="plain table",
            peer_value=slowest.plain,
            limit_value=LIMITS.get(group),
        )


def _sizes(columns: dict[str, dict[str, float]], of_json: float, of_plain: float) -> Iterator[Result]:
    yield Result(
        name="an event in the log",
        value=sum(columns["audit_events"].values()),
        unit="bytes",
        peer="plain table",
        peer_value=of_plain,
        limit_value=of_json,
    )
    yield Result(
        name="a contact's change, once more", value=sum(columns["contact_events"].values()), unit="bytes"
    )


def _show(timings: list[Timing], columns: dict[str, float]) -> None:
    table = Table(
        box=None,
        pad_edge=False,
        title="milliseconds: median, p95, a plain table's median",
        title_justify="left",
    )
    table.add_column("QUESTION")
    for size in ACCOUNTS:
        for heading in (size.upper(), "P95", "PLAIN"):
            table.add_column(heading, justify="right")
    for name in dict.fromkeys(timing.name for timing in timings):
        found = {timing.account: timing for timing in timings if timing.name == name}
        cells = [
            f"{ms:,.0f}" for size in ACCOUNTS for ms in (found[size].p50, found[size].p95, found[size].plain)
        ]
        table.add_row(name, *cells)
    sizes = Table(box=None, pad_edge=False, title="bytes of an event", title_justify="left")
    sizes.add_column("COLUMN")
    sizes.add_column("BYTES", justify="right")
    for name, size in columns.items():
        if size >= 0.05:
            sizes.add_row(name, f"{size:.1f}")
    console = Console(width=130)
    console.print(table, "", sizes)
