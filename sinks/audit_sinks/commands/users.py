"""`audit user`: who may log in to ClickHouse, and for what."""

import sys

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from audit_sinks.clickhouse import connect
from audit_sinks.users import server
from audit_sinks.users.folder import UsersFolder
from audit_sinks.users.roles import Role, User, new_password, new_user
from audit_sinks.users.settings import UserSettings

_UNGUARDED = (
    "warning: whoever logs in to this server can read its files by the function `file`, and in them every "
    "account's rows: give it to nobody whom you would not show them. A full server does not allow it."
)

_wait = click.option(
    "--wait/--no-wait",
    default=True,
    help="Until the server has taken it; not where files are brought to it some other way.  [default: wait]",
)


@click.group()
def user() -> None:
    """Make log-ins to ClickHouse that may do just what they are for.

    \b
    analyst   reads the views of its accounts, within limits of time, memory and rows
    exporter  reads for `audit log`, `audit contact` and `audit export`
    ingest    inserts, for `audit sink`; it reads nothing
    admin     everything in the database: `audit migrate` and what operators do

    Each is a file in AUDIT_CLICKHOUSE_USERS, the server's folder users.d, which it reads without a restart.
    """


@user.command()
@click.argument("name")
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), required=True, help="What it is for."
)
@click.option("--account", "accounts", multiple=True, help="Whose rows it sees; may be given several times.")
@click.option("--all-accounts", is_flag=True, help="It sees the rows of all accounts.")
@click.option("--password-stdin", is_flag=True, help="Read the password from a line of the standard input.")
@_wait
def create(
    name: str, role: str, accounts: tuple[str, ...], all_accounts: bool, password_stdin: bool, wait: bool
) -> None:
    """Make a log-in, and print its password once: the server keeps only its sum.

    \b
    Examples: audit user create ada --role analyst --account acme --account globex
              audit user create reports --role exporter --all-accounts --password-stdin < secret
    """
    if accounts and all_accounts:
        raise click.UsageError("--account and --all-accounts exclude each other")
    password = sys.stdin.readline().rstrip("\n") if password_stdin else new_password()
    made = new_user(name, Role(role), password, None if all_accounts else accounts)
    settings = UserSettings.load()
    with connect(settings.clickhouse) as client:
        if wait:
            server.refuse_known(client, name)
        _folder(settings).add(made)
        if not password_stdin:
            # Before anything else can fail: nobody can ask for it again.
            click.echo(password)
        if wait:
            server.wait(client, name, known=True)
            if made.role is not Role.ADMIN and server.reads_any_file(client):
                click.echo(_UNGUARDED, err=True)
    click.echo(f"{name}: {made.role.value}, {_scope(made)}", err=True)


@user.command("list")
@click.option("--json", "as_json", is_flag=True, help="JSON lines instead of a table.")
def list_users(as_json: bool) -> None:
    """List the log-ins that were made here.

    \b
    Example: audit user list --json | jq -r 'select(.role == "analyst") | .name'
    """
    folder = _folder(UserSettings.load())
    users = folder.users()
    if as_json:
        for one in users:
            click.echo(
                msgspec.json.encode(
                    {
                        "name": one.name,
                        "role": one.role.value,
                        "accounts": one.accounts if one.role.reads_accounts and one.accounts else None,
                        "current": folder.is_current(one),
                    }
                )
            )
        return
    table = Table("Name", "Role", "Accounts", "File", box=None)
    for one in users:
        state = "" if folder.is_current(one) else "of another version: audit user refresh"
        table.add_row(one.name, one.role.value, Text(_scope(one)), state)
    Console().print(table)


@user.command()
@click.argument("name")
@_wait
def remove(name: str, wait: bool) -> None:
    """Take a log-in away; its sessions end with their next query.

    \b
    Example: audit user remove ada
    """
    settings = UserSettings.load()
    _folder(settings).remove(name)
    if wait:
        with connect(settings.clickhouse) as client:
            server.wait(client, name, known=False)
    click.echo(f"{name}: removed", err=True)


@user.command()
def refresh() -> None:
    """Write every log-in anew by this version's rules, after an upgrade; passwords and accounts stay.

    \b
    Example: audit user refresh
    """
    folder = _folder(UserSettings.load())
    outdated = [one for one in folder.users() if not folder.is_current(one)]
    for one in outdated:
        folder.replace(one)
        click.echo(f"{one.name}: written anew")
    if not outdated:
        click.echo("nothing to write: every file is current")


def _folder(settings: UserSettings) -> UsersFolder:
    return UsersFolder(settings.clickhouse_users, settings.clickhouse.database)


def _scope(one: User) -> str:
    if not one.role.reads_accounts:
        return "the whole database"
    return ", ".join(map(repr, one.accounts)) or "all accounts"
