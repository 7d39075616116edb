"""`audit dead-letters`: look at what was refused, and why."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from audit_schemas.dead_letter import DeadLetter
from audit_schemas.settings import ClickHouseSettings
from audit_sinks.clickhouse import connect
from audit_sinks.commands.dead_letter_choice import filters
from audit_sinks.commands.dead_letter_handling import purge, replay
from audit_sinks.dead_letters import handling
from audit_sinks.dead_letters.handling import Handling
from audit_sinks.dead_letters.stored import Choice, Related, count, find, newest, place, related, summary

_DETAIL = 80
_WIDTH = 200


@click.group("dead-letters")
def dead_letters() -> None:
    """Look at messages that were refused, put them back or give them up."""


dead_letters.add_command(replay)
dead_letters.add_command(purge)


@dead_letters.command("list")
@filters
@click.option(
    "--open/--all", "open_only", default=True, help="Only what was neither replayed nor purged; the default."
)
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1), help="How many, newest first."
)
@click.option("--json", "as_json", is_flag=True, help="JSON lines instead of a table.")
def list_letters(*, open_only: bool, limit: int, as_json: bool, **given: Any) -> None:
    """List the newest dead letters, and how many are open.

    \b
    Example: audit dead-letters list --stage sink --since 2h --json | jq .reason
    """
    with connect(ClickHouseSettings.load().clickhouse) as client:
        letters = newest(client, Choice(open_only=open_only, **given), limit)
        handled = handling.of(client, [letter.id for letter in letters])
        waiting = count(client, Choice(**given))
    states = {letter_id: handlings[-1].action for letter_id, handlings in handled.items()}
    if as_json:
        for letter in letters:
            click.echo(msgspec.json.encode({**summary(letter), "state": states.get(letter.id, "open")}))
    else:
        _print_list(letters, states)
    click.echo(f"{len(letters)} shown, {waiting} open", err=as_json)


def _print_list(letters: Sequence[DeadLetter], states: Mapping[UUID, str]) -> None:
    table = Table("Id", "Received (UTC)", "Place", "Stage", "Reason", "State", "Detail", box=None)
    for letter in letters:
        table.add_row(
            str(letter.id),
            f"{letter.received_at:%Y-%m-%d %H:%M:%S}",
            place(letter),
            letter.stage,
            letter.reason,
            states.get(letter.id, "open"),
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
        handlings = handling.of(client, [letter_id]).get(letter_id, [])
        others = [] if value_only else related(client, letter)
    if value_only:
        click.get_binary_stream("stdout").write(letter.value_bytes() or b"")
    elif as_json:
        more = {"handling": handlings, "related": others}
        click.echo(msgspec.json.encode({**letter.model_dump(mode="json"), **more}))
    else:
        _print(letter, handlings, others)


def _print(letter: DeadLetter, handlings: Sequence[Handling], others: Sequence[Related]) -> None:
    table = Table(box=None, show_header=False)
    for name, value in summary(letter).items():
        table.add_row(name, Text(str(value)))
    table.add_row("state", Text("\n".join(handling.sentence for handling in handlings) or "open"))
    for other in others:
        table.add_row(f"same {other.same}", str(other.id))
    table.add_row("value", Text((letter.value_bytes() or b"")[:2000].decode(errors="backslashreplace")))
    Console().print(table)
