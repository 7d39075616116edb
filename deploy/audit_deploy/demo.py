"""`audit demo`: events on their whole way, from a service's call to a table and two files."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from audit_deploy import foreground
from audit_deploy.control import Stack
from audit_deploy.errors import ProgramFailed
from audit_deploy.programs import audit
from audit_deploy.stack import running
from audit_deploy.steps import Steps

_DAY = [sys.executable, "-m", "audit_producers.examples.helpdesk_day"]
_VIEWER = "demo-auditor"
_EVER = ("2019-10-01", "2199-01-01")
"""Every time that a stored event can have."""
_WAIT_SECONDS = 120.0
_SHOWN = 50


@dataclass(frozen=True)
class Published:
    """What was sent, and how to look at it."""

    events: int
    rejected: int
    accounts: tuple[str, ...]
    viewer: str
    since: str
    until: str


@dataclass(frozen=True)
class Summary:
    """What the demo leaves in summary.json."""

    published: int
    stored: int
    csv_rows: int
    xlsx_rows: int
    dead_letters: int
    csv: str
    xlsx: str


@click.command()
@click.option(
    "--input",
    "events",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your own events, as `audit publish` takes them, in place of the scripted day.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("out/demo"),
    show_default=True,
    help="Where the files go.",
)
def demo(events: Path | None, output: Path) -> None:
    """Show the way of an event: publish a helpdesk's day, read the log, export it, compare the counts.

    Starts a fresh stack, and stops it at the end. Leaves audit-log.csv, audit-log.xlsx and summary.json.

    \b
    Example:  audit demo --input events.jsonl --output /tmp/demo
    """
    output.mkdir(parents=True, exist_ok=True)
    summary_file = output / "summary.json"
    summary_file.unlink(missing_ok=True)
    console = Console(stderr=True)
    with foreground.ending_on_sigterm(), Steps(console) as steps, running(report=steps.begin) as stack:
        steps.begin("publishing" + (f" {events}" if events else " a helpdesk's day through the SDK"))
        run = _Commands(stack)
        published = _publish_file(run, events, output) if events else _publish_day(run)
        steps.begin(f"storing {published.events:,} events")
        stored = _wait_until_stored(run, published)
        steps.done()
        run.shown("log", "list", *_scope(published), "--limit", str(_SHOWN))
        steps.begin("exporting as CSV and XLSX")
        summary = _export(run, published, stored, output)
        steps.begin("stopping")
    summary_file.write_text(json.dumps(asdict(summary), indent=2) + "\n")
    _say(summary, published.rejected, output)
    if not summary.published == summary.stored == summary.csv_rows == summary.xlsx_rows:
        raise ProgramFailed("the counts differ", remedy=f"see {summary_file}")


class _Commands:
    """Runs commands beside the stack."""

    def __init__(self, stack: Stack) -> None:
        self._environment = {**os.environ, **stack.environment}

    def json(self, *arguments: str, codes: Sequence[int] = (0,)) -> Any:
        """The JSON that an `audit` command prints."""
        return self.read(audit(*arguments, "--json"), codes)

    def read(self, command: Sequence[str], codes: Sequence[int] = (0,)) -> Any:
        """The JSON that a command prints."""
        return json.loads(self._run(command, codes))

    def quietly(self, *arguments: str) -> None:
        """Run an `audit` command whose output nobody needs."""
        self._run(audit(*arguments), (0,))

    def shown(self, *arguments: str) -> None:
        """Run an `audit` command whose output is for the person."""
        subprocess.run(audit(*arguments), env=self._environment, check=True)

    def _run(self, command: Sequence[str], codes: Sequence[int]) -> str:
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode not in codes:
            raise ProgramFailed(f"`{' '.join(command[3:])}` failed:\n{(done.stderr or done.stdout).strip()}")
        return done.stdout


def _publish_day(run: _Commands) -> Published:
    told = run.read(_DAY)
    return Published(told["events"], 0, (told["account"],), told["viewer"], told["since"], told["until"])


def _publish_file(run: _Commands, events: Path, output: Path) -> Published:
    rejected = output / "rejected.jsonl"
    rejected.unlink(missing_ok=True)
    told = run.json("publish", str(events), "--rejected", str(rejected), codes=(0, 3))
    accounts = _accounts(events)
    for account in accounts:
        run.quietly(
            "actor", "set", "--account", account, _VIEWER, "--name", "Auditor", "--permission", "export"
        )
    return Published(told["published"], told["rejected"], accounts, _VIEWER, *_EVER)


def _accounts(events: Path) -> tuple[str, ...]:
    found = set()
    with events.open("rb") as lines:
        for line in lines:
            with suppress(ValueError, TypeError):
                found.add(json.loads(line).get("account"))
    return tuple(sorted(account for account in found if isinstance(account, str) and account))


def _wait_until_stored(run: _Commands, published: Published) -> int:
    """Wait until the log holds what was published, and the viewer may read it."""
    wanted = (published.events, len(published.accounts))
    query = (
        "SELECT (SELECT count() FROM audit_log) AS events, "
        "(SELECT uniqExact(account_id) FROM actors WHERE notEmpty(permissions)) AS viewers"
    )

    def counted() -> tuple[int, int]:
        [row] = run.json("sql", query)
        return int(row["events"]), int(row["viewers"])

    return _eventually(counted, lambda counts: counts[0] >= wanted[0] and counts[1] >= wanted[1])[0]


def _eventually(
    ask: Callable[[], tuple[int, int]], enough: Callable[[tuple[int, int]], bool]
) -> tuple[int, int]:
    end = time.monotonic() + _WAIT_SECONDS
    while not enough(answer := ask()) and time.monotonic() < end:
        time.sleep(0.2)
    return answer


def _export(run: _Commands, published: Published, stored: int, output: Path) -> Summary:
    files = {
        format_: run.json(
            "export",
            "write",
            *_scope(published),
            "--format",
            format_,
            "--force",
            "--output",
            str(output / f"audit-log.{format_}"),
        )["files"][0]
        for format_ in ("csv", "xlsx")
    }
    [letters] = run.json("sql", "SELECT count() AS letters FROM dead_letters FINAL")
    return Summary(
        published=published.events,
        stored=stored,
        csv_rows=files["csv"]["rows"],
        xlsx_rows=files["xlsx"]["rows"],
        dead_letters=int(letters["letters"]),
        csv=files["csv"]["path"],
        xlsx=files["xlsx"]["path"],
    )


def _scope(published: Published) -> list[str]:
    accounts = [part for account in published.accounts for part in ("--account", account)]
    return [*accounts, "--as", published.viewer, "--since", published.since, "--until", published.until]


def _say(summary: Summary, rejected: int, output: Path) -> None:
    say = Console(highlight=False, soft_wrap=True).print
    bad = f"   bad lines beside it: {rejected:,} in {output / 'rejected.jsonl'}" if rejected else ""
    say(f"\n  published   {summary.published:>9,}{bad}")
    say(f"  ClickHouse  {summary.stored:>9,}   dead letters: {summary.dead_letters:,}")
    say(f"  CSV         {summary.csv_rows:>9,}   {summary.csv}")
    say(f"  XLSX        {summary.xlsx_rows:>9,}   {summary.xlsx}")
    say(_LOOK_AROUND)


_LOOK_AROUND = """
Look around yourself, with the commands of .venv/bin on your path:
  eval "$(audit stack up)"     a stack that stays; it also prints the address of ClickHouse's page /play
  audit publish events.jsonl   your own events; `audit schema print` shows their form
  audit sql "SELECT module, count() FROM audit_log GROUP BY module"
  audit stack down             stops it; the data stay"""
