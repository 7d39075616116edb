"""`audit verify`: is everything in ClickHouse as the pipeline promises?"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import click
import msgspec
from rich.console import Console
from rich.table import Table

from audit_schemas.grace import GRACE
from audit_sinks.checking import Checked, Scope
from audit_sinks.commands.since import Since
from audit_sinks.errors import Incomplete
from audit_sinks.settings import Servers
from audit_sinks.verify import examine

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
    """Check the tables against each other; exit code 3 when anything is wrong.

    contacts: every contact event of a closed window, and every imported one, is in the
    contacts' activity once and in its window, and nothing is there that is not in the log.

    \b
    Example: audit verify --since 7d --json
    """
    scope = Scope(accounts=accounts, since=since, until=until, grace=timedelta(seconds=grace))
    found = examine(Servers.load(), scope)
    wrong = list(_faults(found))
    if as_json:
        click.echo(msgspec.json.encode({"checks": found, "fine": not wrong}))
    else:
        _print(found)
    if wrong:
        raise Incomplete("; ".join(wrong), remedy="`audit trace EVENT_ID` shows where an event is")


def _faults(found: Mapping[str, Checked]) -> Iterator[str]:
    for name, checked in found.items():
        for kind, fault in checked.faults.items():
            if fault.events:
                yield f"{name}: {fault.events} {kind.replace('_', ' ')}"


def _print(found: Mapping[str, Checked]) -> None:
    table = Table("Check", "What", "Events", "Examples", box=None)
    for name, checked in found.items():
        table.add_row(name, "checked", str(checked.checked))
        for kind, fault in checked.faults.items():
            count = f"[red]{fault.events}[/]" if fault.events else "0"
            table.add_row("", kind.replace("_", " "), count, "\n".join(map(str, fault.examples)))
    # An id that is cut cannot be traced: rather longer lines than the terminal has.
    console = Console()
    console.width = max(console.width, _WIDTH)
    console.print(table)
