"""`audit verify`: is everything in ClickHouse as the pipeline promises?"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from audit_schemas.grace import GRACE
from audit_sinks.commands.patience import patience
from audit_sinks.commands.since import Since
from audit_sinks.errors import Incomplete
from audit_sinks.settings import Servers
from audit_sinks.verification.checking import Checked, Fault, Note, Scope
from audit_sinks.verification.examination import Report, report

_WIDTH = 100


@click.command()
@click.option("--account", "accounts", multiple=True, help="Only this account; may be repeated.")
@click.option("--since", type=Since(), help="Only what was received from then on: 7d, or 2026-03-02T09:00Z.")
@click.option("--until", type=Since(), help="Only what was received before then.")
@click.option(
    "--grace",
    default=int(GRACE.total_seconds()),
    show_default=True,
    type=click.IntRange(0),
    help="Seconds that what is due may take to be stored.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
def verify(
    accounts: tuple[str, ...], *, since: datetime | None, until: datetime | None, grace: int, as_json: bool
) -> None:
    """Prove that nothing is lost and nothing is there twice; exit code 3 when it cannot be proven.

    Times are those of receipt by Kafka. The last line says through when all is there; while the scope's
    end is not reached yet, it says which partition is waited for.

    \b
    producers  of each publishing process every number that it owes is there, and once
    offsets    every record of audit.changes is a row, a dead letter, a mark, or a repeat
    ids        no id came with two times
    contacts   every change of a contact is in its activity once, in its window
    late       what was received more than an hour after it happened; never a fault

    With --account the first looks at all processes that published for it, and the second at every
    account, since what is missing does not tell whose it was.

    Without --since all there is, is read: time grows with the rows of the tables, by some seconds for each
    hundred million. With it, of older rows little more than the time of receipt is read. What Kafka no longer
    has is counted and cannot be checked.

    \b
    Example: audit verify --since 7d --json
    """
    scope = Scope(accounts=accounts, since=since, until=until, grace=timedelta(seconds=grace))
    servers = Servers.load()
    with patience() as tell:
        made = report(servers, scope, tell)
    if as_json:
        click.echo(_document(made))
    else:
        _print(made)
    verdict = made.verdict
    if not verdict.fine:
        problems = [*verdict.wrong, *([verdict.waits_for] if verdict.waits_for else [])]
        remedy = (
            "`audit trace EVENT_ID` shows where an event is"
            if verdict.wrong
            else "wait, or look at `audit status`"
        )
        raise Incomplete("; ".join(problems), remedy=remedy)


def _document(made: Report) -> bytes:
    verdict = made.verdict
    return msgspec.json.encode(
        {
            "fine": verdict.fine,
            "complete_through": verdict.complete_through,
            "sentence": verdict.sentence,
            "wrong": verdict.wrong,
            "waits_for": verdict.waits_for,
            "completeness": made.completeness,
            "checks": made.checks,
        }
    )


def _print(made: Report) -> None:
    # An id that is cut cannot be traced: rather longer lines than the terminal has.
    console = Console(soft_wrap=True)
    console.width = max(console.width, _WIDTH)
    console.print(_table(made.checks))
    for name, checked in made.checks.items():
        kinds: dict[str, Fault | Note] = {**checked.faults, **checked.notes}
        for kind, found in kinds.items():
            if found.events and found.examples:
                _print_examples(console, name if name == kind else f"{name}, {_words(kind)}", found)
    verdict = made.verdict
    style = "green" if verdict.fine else "red"
    console.print(f"[{style}]{verdict.sentence}[/]", highlight=False)


def _table(checks: Mapping[str, Checked]) -> Table:
    table = Table("Check", "Looked at", "Wrong", "Worth knowing", box=None)
    for name, checked in checks.items():
        wrong = [
            f"[red]{fault.events:,} {_words(kind)}[/]"
            for kind, fault in checked.faults.items()
            if fault.events
        ]
        notes = [f"{note.events:,} {_words(kind)}" for kind, note in checked.notes.items() if note.events]
        fine = "[green]nothing[/]" if checked.faults else ""
        table.add_row(name, f"{checked.checked:,} {checked.of}", ", ".join(wrong) or fine, ", ".join(notes))
    return table


def _print_examples(console: Console, head: str, found: Fault | Note) -> None:
    more = found.events > len(found.examples) and not hasattr(found.examples[0], "count")
    console.print(f"\n[bold]{head}[/]{', the first of them' if more else ''}:", highlight=False)
    for example in found.examples:
        console.print(f"  {escape(str(example))}", highlight=False)


def _words(kind: str) -> str:
    return kind.replace("_", " ")
