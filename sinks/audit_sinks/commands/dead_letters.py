"""`audit dead-letters`: look at what was refused, and why."""

from uuid import UUID

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from audit_schemas.dead_letter import DeadLetter
from audit_schemas.settings import ClickHouseSettings
from audit_sinks.clickhouse import connect
from audit_sinks.dead_letters import find, newest, place, summary

_DETAIL = 80
_WIDTH = 200


@click.group("dead-letters")
def dead_letters() -> None:
    """Look at messages that were refused."""


@dead_letters.command("list")
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1), help="How many, newest first."
)
@click.option("--json", "as_json", is_flag=True, help="JSON lines instead of a table.")
def list_letters(limit: int, as_json: bool) -> None:
    """List the newest dead letters.

    \b
    Example: audit dead-letters list --json | jq .reason
    """
    with connect(ClickHouseSettings.load().clickhouse) as client:
        letters = newest(client, limit)
    if as_json:
        for letter in letters:
            click.echo(msgspec.json.encode(summary(letter)))
        return
    table = Table("Id", "Received (UTC)", "Place", "Stage", "Reason", "Detail", box=None)
    for letter in letters:
        table.add_row(
            str(letter.id),
            f"{letter.received_at:%Y-%m-%d %H:%M:%S}",
            place(letter),
            letter.stage,
            letter.reason,
            # A refused message may hold anything: nothing in it is markup.
            Text(letter.detail[:_DETAIL]),
        )
    # An id that is cut cannot be viewed: rather longer lines than the terminal has.
    console = Console()
    console.width = max(console.width, _WIDTH)
    console.print(table)


@dead_letters.command("view")
@click.argument("letter_id", type=click.UUID)
@click.option("--json", "as_json", is_flag=True, help="One JSON document; key, value and headers as base64.")
@click.option("--value", "value_only", is_flag=True, help="The refused bytes and nothing else.")
def view_letter(letter_id: UUID, as_json: bool, value_only: bool) -> None:
    """Show one dead letter.

    \b
    Example: audit dead-letters view 0192f0c1-… --value > refused.json
    """
    with connect(ClickHouseSettings.load().clickhouse) as client:
        letter = find(client, letter_id)
    if value_only:
        click.get_binary_stream("stdout").write(letter.value_bytes() or b"")
    elif as_json:
        click.echo(letter.model_dump_json())
    else:
        _print(letter)


def _print(letter: DeadLetter) -> None:
    table = Table(box=None, show_header=False)
    for name, value in summary(letter).items():
        table.add_row(name, Text(str(value)))
    table.add_row("value", Text((letter.value_bytes() or b"")[:2000].decode(errors="backslashreplace")))
    Console().print(table)
