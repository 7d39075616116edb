"""`audit demo`: events on their whole way, from a service's call to tables and two files."""

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from audit_deploy import foreground
from audit_deploy.demo.activity import show_activity
from audit_deploy.demo.publishing import Published, publish_day, publish_file
from audit_deploy.demo.runner import Runner
from audit_deploy.demo.summary import Summary
from audit_deploy.demo.waiting import WINDOW, wait_until_stored, wait_until_synced
from audit_deploy.errors import ProgramFailed
from audit_deploy.stack import running
from audit_deploy.steps import Steps

_SHOWN = "12"
_COUNTS = """
SELECT
    (SELECT count() FROM dead_letters FINAL) AS letters,
    (SELECT count() FROM contact_batches FINAL) AS batches
"""


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

    Windows are ten seconds long here: when theirs is over, changes of contacts appear in the contacts'
    activity. Starts a fresh stack, and stops it at the end. Leaves audit-log.csv, audit-log.xlsx and
    summary.json.

    \b
    Example:  audit demo --input events.jsonl --output /tmp/demo
    """
    output.mkdir(parents=True, exist_ok=True)
    summary_file, bad_lines = output / "summary.json", output / "rejected.jsonl"
    summary_file.unlink(missing_ok=True)
    with (
        foreground.ending_on_sigterm(),
        Steps(Console(stderr=True)) as steps,
        running(window=WINDOW, report=steps.begin) as stack,
    ):
        run = Runner(stack)
        steps.begin("publishing" + (f" {events}" if events else " a helpdesk's day through the SDK"))
        published = publish_file(run, events, bad_lines) if events else publish_day(run)
        steps.begin(f"storing {published.events:,} events")
        stored = wait_until_stored(run, published)
        steps.done()
        run.shown("log", "list", *_scope(published), "--limit", _SHOWN)
        sync = wait_until_synced(run, steps)
        steps.done()
        if sync.is_done:
            show_activity(run, published)
        steps.begin("exporting as CSV and XLSX")
        summary = _export(run, published, output, stored=stored, synced=sync.synced)
        steps.begin("stopping")
    summary.write(summary_file)
    summary.say(published.rejected, bad_lines)
    if fault := summary.fault(sync.changes):
        raise ProgramFailed(fault, remedy=f"see {summary_file}")


def _export(run: Runner, published: Published, output: Path, *, stored: int, synced: int) -> Summary:
    csv, xlsx = (_file(run, published, output, form) for form in ("csv", "xlsx"))
    counts = run.row(_COUNTS)
    return Summary(
        published=published.events,
        stored=stored,
        contact_changes=synced,
        contact_batches=int(counts["batches"]),
        csv_rows=csv["rows"],
        xlsx_rows=xlsx["rows"],
        dead_letters=int(counts["letters"]),
        csv=csv["path"],
        xlsx=xlsx["path"],
    )


def _file(run: Runner, published: Published, output: Path, form: str) -> dict[str, Any]:
    place = ("--force", "--output", str(output / f"audit-log.{form}"))
    [file] = run.json("export", "write", *_scope(published), "--format", form, *place)["files"]
    return dict(file)


def _scope(published: Published) -> list[str]:
    accounts = [part for account in published.accounts for part in ("--account", account)]
    return [*accounts, "--as", published.viewer, "--since", published.since, "--until", published.until]
