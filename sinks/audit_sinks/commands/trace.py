"""`audit trace`: where is this event?"""

from datetime import datetime
from uuid import UUID

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from audit_sinks.clickhouse import connect
from audit_sinks.commands.since import Since
from audit_sinks.errors import Incomplete
from audit_sinks.settings import Servers
from audit_sinks.tracing.trace import Stage
from audit_sinks.tracing.trace import trace as follow


@click.command()
@click.argument("event_id", type=click.UUID)
@click.option("--since", type=Since(), help="Search Kafka from then on: 2h, or 2026-03-02T09:00Z (UTC).")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
def trace(event_id: UUID, since: datetime | None, as_json: bool) -> None:
    """Follow one event through every stage; exit code 3 when it is not visible where it should be.

    That is in the log, and for a contact's change, once its window is over, in the contact's activity.

    \b
    Example: audit trace 0195a2f0-3c51-7abc-8def-0123456789ab
    """
    settings = Servers.load()
    with connect(settings.clickhouse) as client:
        stages = list(follow(event_id, kafka=settings.kafka, client=client, since=since))
    missing = [stage.name for stage in stages if stage.missing]
    if as_json:
        click.echo(msgspec.json.encode({"event_id": event_id, "stages": stages, "missing": missing}))
    else:
        _print(stages)
    if any(stage.missing and stage.visible for stage in stages):
        raise Incomplete(f"{event_id} is missing at {', '.join(missing)}")


def _print(stages: list[Stage]) -> None:
    table = Table("Stage", "", "Where and when", box=None)
    for stage in stages:
        table.add_row(stage.name, _state(stage), Text(stage.about))
        producer, sequence = stage.details.get("producer"), stage.details.get("sequence")
        if producer:
            table.add_row("", "", Text(f"published by {producer}, its number {sequence}"))
    Console().print(table)


def _state(stage: Stage) -> str:
    return "[green]found[/]" if stage.found else "[yellow]pending[/]" if stage.pending else "[red]missing[/]"
