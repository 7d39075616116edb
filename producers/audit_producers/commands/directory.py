"""`audit account` and `audit actor`: the directory's entries from the command line."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import click
from msgspec import Raw
from pydantic import BaseModel

from audit_producers import directory
from audit_producers.directory_files import rows
from audit_producers.recorder import Recorder
from audit_producers.settings import KafkaClient, Settings
from audit_schemas import own_events
from audit_schemas.directory import Account
from audit_schemas.errors import Incomplete, Invalid, Unreachable
from audit_schemas.event import ActorType, Change, Target
from audit_schemas.permissions import Permission
from audit_schemas.wire import encode

_SERVICE = "audit-cli"
_ANSWER_SECONDS = 5.0
_SECONDS = 30.0


class _PermissionName(click.ParamType):
    """A permission by its title, or by activity, view and export for short."""

    name = "permission"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        named = {permission.name.lower(): permission.value for permission in Permission}
        named |= {permission.value.lower(): permission.value for permission in Permission}
        if value.lower() not in named:
            self.fail(f"{value!r} is none of {', '.join(map(repr, named))}", param, ctx)
        return named[value.lower()]


@click.group()
def account() -> None:
    """The accounts in the directory."""


@account.command("set")
@click.argument("id")
@click.option("--name", help="As people know it.")
@click.option("--plan", help="The plan that it pays for.")
@click.option("--zone", help="Its time zone, as in Europe/Berlin.")
@click.option("--record-reads/--no-record-reads", default=None, help="Whether the log keeps who read it.")
def set_account(id: str, **fields: Any) -> None:  # noqa: A002 - the argument's name on the command line
    """Describe the account ID; what is left out stays as it is.

    \b
    Example:  audit account set acme --name "Acme Ltd" --plan enterprise --zone Europe/Berlin
    """
    with _recorder() as recorder:
        present = directory.accounts(recorder.settings).get(id)
        recorder.set_account(id, **_merged(present, fields))
        _tell_of_recording(recorder, id, present, fields["record_reads"])
    click.echo(f"account {id} is set")


def _tell_of_recording(
    recorder: Recorder, account: str, present: Account | None, wanted: bool | None
) -> None:
    """Whether readings are recorded is itself part of the record."""
    recorded = present is not None and present.record_reads
    if wanted is None or wanted == recorded:
        return
    recorder.record(
        "update",
        Target(type="audit_log", id="advanced", name="the audit log"),
        changes=(Change(field="record_reads", old=Raw(encode(recorded)), new=Raw(encode(wanted))),),
        account=account,
        actor=own_events.operator(own_events.current_user()),
        module=own_events.MODULE,
    )


@account.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
def list_accounts(*, as_json: bool) -> None:
    """List the accounts.

    \b
    Example:  audit account list --json
    """
    _print(
        directory.accounts(KafkaClient.load()).values(),
        ("id", "name", "plan", "zone", "record_reads"),
        as_json=as_json,
    )


@click.group()
def actor() -> None:
    """The actors in the directory."""


@actor.command("set")
@click.argument("id")
@click.option("--account", required=True, help="The account that it belongs to.")
@click.option("--type", type=click.Choice(get_args(ActorType)), help="agent, unless it is said.")
@click.option("--name", help="As people know it.")
@click.option("--email", help="Its e-mail address.")
@click.option("--role", help="The title of its role.")
@click.option(
    "--permission",
    "permissions",
    type=_PermissionName(),
    multiple=True,
    help="activity, view, export, or the title; once for each. Takes the place of all that it had.",
)
@click.option("--no-permissions", is_flag=True, help="Take all permissions away, activity as well.")
@click.option("--zone", help="Its time zone, where it is not the account's.")
@click.option("--active/--inactive", default=None, help="Whether it may still sign in.")
def set_actor(account: str, id: str, *, no_permissions: bool, **fields: Any) -> None:  # noqa: A002
    """Describe the actor ID of an account; what is left out stays as it is.

    Agents and admins whose permissions were never set have activity; others have none.

    \b
    Example:  audit actor set 7 --account acme --name "Ann Lee" --role Supervisor --permission export
    """
    fields["permissions"] = () if no_permissions else fields["permissions"] or None
    with _recorder() as recorder:
        present = directory.actors(recorder.settings, account).get(id)
        recorder.set_actor(account, id, **_merged(present, fields))
    click.echo(f"actor {id} of {account} is set")


@actor.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--account", required=True, help="The account that they belong to.")
def import_actors(file: Path, account: str) -> None:
    """Describe the actors of FILE, a CSV file with a header or JSON lines; each takes the place of its entry.

    The columns are id, type, name, email, role, permissions (titles with ; between them, or none), zone and
    active; an empty cell is as good as no cell: its permissions are those of its type. Bad rows are
    reported, and end the command with exit code 3.

    \b
    Example:  audit actor import agents.csv --account acme
    """
    good = bad = 0
    with _recorder() as recorder:
        for number, row in rows(file):
            try:
                if isinstance(row, Invalid):
                    raise row
                recorder.set_actor(account, **row)
                good += 1
            except Invalid as error:
                bad += 1
                click.echo(f"line {number}: {error.message}", err=True)
    click.echo(f"{good:,} actors are set, {bad:,} rows are bad")
    if bad:
        raise Incomplete(f"{bad:,} of {good + bad:,} rows of {file} are no actors")


@actor.command("list")
@click.option("--account", required=True, help="The account whose actors to list.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
def list_actors(account: str, *, as_json: bool) -> None:
    """List an account's actors.

    \b
    Example:  audit actor list --account acme
    """
    columns = ("id", "type", "name", "email", "role", "permissions", "active")
    _print(directory.actors(KafkaClient.load(), account).values(), columns, as_json=as_json)


@contextmanager
def _recorder() -> Iterator[Recorder]:
    """A strict recorder; at the end of the block all has been acknowledged."""
    settings = Settings.load(
        service=_SERVICE, delivery="kafka", strict=True, block_seconds=_SECONDS, exit_seconds=0
    )
    recorder = Recorder(settings)
    try:
        recorder.delivery.check(_ANSWER_SECONDS)
        yield recorder
        if left := recorder.flush(_SECONDS):
            raise Unreachable(f"Kafka at {settings.kafka} has not acknowledged {left:,} entries")
    finally:
        recorder.close()


def _merged(present: BaseModel | None, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The present entry's fields with those over them that were given; what nobody gave stays so."""
    kept = present.model_dump(include=set(fields), exclude_unset=True) if present else {}
    return kept | {name: value for name, value in fields.items() if value is not None}


def _print(entries: Iterable[BaseModel], columns: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        for entry in entries:
            click.echo(entry.model_dump_json())
        return
    table = [
        columns,
        *sorted(tuple(_cell(getattr(entry, column)) for column in columns) for entry in entries),
    ]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
