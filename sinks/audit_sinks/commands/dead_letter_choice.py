"""The options by which the commands of `audit dead-letters` choose letters, and say who handles them."""

from collections.abc import Callable
from typing import Any, TypeVar, get_args

import click

from audit_schemas.dead_letter import Reason
from audit_schemas.own_events import current_user
from audit_schemas.topics import TOPICS
from audit_sinks.commands.since import Since
from audit_sinks.dead_letters.stored import Choice

Command = TypeVar("Command", bound=Callable[..., Any])

_FILTERS = (
    click.option("--reason", type=click.Choice(get_args(Reason)), help="Only those refused for this reason."),
    click.option(
        "--stage",
        type=click.Choice(["processor", "windows", "sink"]),
        help="Only those that this part refused.",
    ),
    click.option(
        "--topic", type=click.Choice(list(TOPICS)), metavar="TOPIC", help="Only those from this topic."
    ),
    click.option("--since", type=Since(), help="Only those refused from then on: 2h, or 2026-03-02T09:00Z."),
)


def filters(command: Command) -> Command:
    """Add --reason, --stage, --topic and --since."""
    for option in reversed(_FILTERS):
        command = option(command)
    return command


def handled_by(command: Command) -> Command:
    """Add --by."""
    return click.option(
        "--by", default=current_user, metavar="NAME", help="Who does it, for the record; by default you."
    )(command)


def chosen(ids: tuple[Any, ...], **given: Any) -> Choice:
    """The letters that are named, or the open ones that fit the filters.

    Raises:
        click.UsageError: neither is given, or both.
    """
    if bool(ids) == any(given.values()):
        raise click.UsageError("give either ids or filters: --reason, --stage, --topic, --since")
    # What is named is meant, whatever was done about it before.
    return Choice(ids=tuple(ids), open_only=not ids, **given)
