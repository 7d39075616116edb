"""`audit trace`: where is this event?"""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from audit_sinks.clickhouse import connect
from audit_sinks.errors import Incomplete
from audit_sinks.settings import Servers
from audit_sinks.trace import Stage
from audit_sinks.trace import trace as follow

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class _Since(click.ParamType):
    """A time, or how long ago."""

    name = "time"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        if match := re.fullmatch(r"(\d+)([smhdw])", value):
            return datetime.now(UTC) - timedelta(**{_UNITS[match[2]]: int(match[1])})
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is neither 30m, 2h or 7d nor a time like 2026-03-02T09:00Z", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.command()
@click.argument("event_id", type=click.UUID)
@click.option("--since", type=_Since(), help="Search Kafka from then on: 2h, or 2026-03-02T09:00Z (UTC).")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
def trace(event_id: UUID, since: datetime | None, as_json: bool) -> None:
    """Follow one event through every stage; exit code 3 when it is not visible in the log.

    \b
    Example: audit trace 0195a2f0-3c51-7abc-8def-0123456789ab
    """
    settings = Servers.load()
    with connect(settings.clickhouse) as client:
        stages = list(follow(event_id, kafka=settings.kafka, client=client, since=since))
    missing = [stage.name for stage in stages if not stage.found]
    if as_json:
        click.echo(msgspec.json.encode({"event_id": event_id, "stages": stages, "missing": missing}))
    else:
        _print(stages)
    if not stages[-1].found:
        raise Incomplete(f"{event_id} is missing at {', '.join(missing)}")


def _print(stages: list[Stage]) -> None:
    table = Table("Stage", "", "Where and when", box=None)
    for stage in stages:
        table.add_row(stage.name, "[green]found[/]" if stage.found else "[red]missing[/]", Text(stage.about))
        producer, sequence = stage.details.get("producer"), stage.details.get("sequence")
        if producer:
            table.add_row("", "", Text(f"published by {producer}, its number {sequence}"))
    Console().print(table)
