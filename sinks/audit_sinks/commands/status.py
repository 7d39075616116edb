"""`audit status`: is everything stored in time, and if not, where does it wait?"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta

import click
from rich.console import Console
from rich.live import Live

from audit_sinks.commands.span import Span
from audit_sinks.commands.status_view import document, drawn
from audit_sinks.errors import Incomplete
from audit_sinks.monitoring.observer import Observer
from audit_sinks.settings import Servers
from audit_sinks.status import PATIENCE, Status

_PAUSE = 2.0
"""Seconds between two looks."""


@click.command()
@click.option("--watch", is_flag=True, help="Look again every two seconds, until Ctrl-C.")
@click.option(
    "--behind",
    "patience",
    type=Span(),
    default=f"{PATIENCE.seconds}s",
    show_default=True,
    metavar="TIME",
    help="How long a record may wait: 30s, 5m; with 0s none may.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document a line instead of tables.")
def status(watch: bool, patience: timedelta, as_json: bool) -> None:
    """Show how far the log is complete, what waits and for how long; exit code 3 while something is behind.

    Behind is a stage whose oldest record waits for longer than --behind, a log that is complete only up to
    a minute before that, a window that is overdue, a pending migration, and a server that does not answer.
    Open dead letters and what `audit doctor` finds are shown, and are not behind. With --watch the exit
    code is that of the last look.

    \b
    Example: until audit status --behind 0s --json > status.json; do sleep 1; done
    """
    with closing(Observer(Servers.load())) as observer:

        def look() -> Status:
            return Status(look=observer.look(), patience=patience)

        found = look()
        with suppress(KeyboardInterrupt), _shower(watch, as_json) as show:
            show(found)
            while watch:
                time.sleep(_PAUSE)
                found = look()
                show(found)
    if reasons := found.behind:
        raise Incomplete("; ".join(reasons), remedy="what to look at: deploy/RUNBOOK.md")


@contextmanager
def _shower(watch: bool, as_json: bool) -> Iterator[Callable[[Status], None]]:
    """What shows a status: one below the other, or each in the place of the last."""
    console = Console()
    if as_json:
        yield lambda found: click.echo(document(found))
    elif watch:
        with Live(console=console, auto_refresh=False, vertical_overflow="visible") as live:
            yield lambda found: live.update(drawn(found), refresh=True)
    else:
        yield lambda found: console.print(drawn(found))
