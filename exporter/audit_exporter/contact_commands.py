"""`audit contact`: who a contact is or was, and what happened to it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import click
import msgspec
from rich.console import Console

from audit_exporter import options
from audit_exporter.access import ACTIVITY, PENDING, Reader
from audit_exporter.clickhouse import Connection
from audit_exporter.contact_activity import (
    WHILE_PENDING,
    is_known,
    read_activity,
    read_next_sync,
    read_waiting,
)
from audit_exporter.contact_choice import contact_id
from audit_exporter.contact_search import Anything, Search, find
from audit_exporter.contact_table import View, activity_table, contact_table
from audit_exporter.contacts import Contact
from audit_exporter.filters import Filter, TargetKey
from audit_exporter.json_lines import event_json
from audit_exporter.json_schemas import rows_schema, type_schema
from audit_exporter.settings import ReaderSettings
from audit_exporter.sync_words import sync_line, waiting_line
from audit_exporter.view_columns import read_columns
from audit_schemas.errors import AuditError
from audit_schemas.permissions import Permission
from audit_schemas.settings import ClickHouseSettings

_FOUND = 20


@click.group()
def contact() -> None:
    """Contacts and their activity; agents and admins may see it unless they were forbidden to."""


@contact.command("find")
@options.who_of_one_account
@click.argument("text")
@click.option("--limit", type=click.IntRange(1), default=_FOUND, show_default=True, help="How many.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines, one for each contact, times in UTC.")
def find_contacts(text: str, limit: int, as_json: bool, **given: Any) -> None:
    """Find contacts whose name, e-mail address or phone number is or ever was TEXT, or contains it.

    Those that changed last come first. Of a phone number the digits decide, from five on.

    \b
    Example:  audit contact find 555-0100 --account acme --as 7
    """
    text = text.strip()
    if not text:
        raise click.UsageError("say what to look for: a name, an e-mail address or a phone number")
    settings = ReaderSettings.load()
    asked = options.Asked.read(settings, given)
    with Connection(settings.clickhouse) as connection:
        reader = asked.authorize(connection, ACTIVITY)
        scope, fields = Filter(accounts=reader.accounts), asked.catalogue.contact
        contacts = find(connection, Search(scope, Anything(text, fields.phone), fields), limit)
        if not contacts:
            raise _nobody(connection, reader, scope, text)
    _show(contacts, reader, limit, as_json=as_json)


def _nobody(connection: Connection, reader: Reader, scope: Filter, text: str) -> AuditError:
    sync = sync_line(read_next_sync(connection, scope), reader.zone, datetime.now(UTC))
    return AuditError(
        f"account {scope.accounts[0]!r} has no contact that is or was called {text!r}",
        remedy=f"try a part of the name, the address or the number; what is pending is not searched ({sync})",
    )


def _show(contacts: list[Contact], reader: Reader, limit: int, *, as_json: bool) -> None:
    if as_json:
        for found in contacts:
            click.echo(msgspec.json.encode(found))
        return
    Console(highlight=False).print(contact_table(contacts, reader.zone))
    options.say_count(len(contacts), "contact", reader.zone, more="--limit" if len(contacts) == limit else "")


@contact.command()
@options.who_of_one_account
@click.argument("who", metavar="ID|EMAIL")
@click.option("--field", "fields", multiple=True, help="Only changes of this field; repeat it for several.")
@options.when
@options.how_many
@click.option(
    "--include-pending",
    "pending",
    is_flag=True,
    help=f"Also what waits for the next sync; needs the permission {Permission.VIEW.value!r}.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON lines with every column, times in UTC.")
def activity(who: str, limit: int, everything: bool, pending: bool, as_json: bool, **given: Any) -> None:
    """Show what happened to a contact, newest first.

    An argument with an @ is an e-mail address: the contact that has it, else the one that had it.

    \b
    Example:  audit contact activity 4711 --account acme --as 7 --field phone
    """
    settings = ReaderSettings.load()
    asked = options.Asked.read(settings, given)
    now = datetime.now(UTC)
    with Connection(settings.clickhouse) as connection:
        reader = asked.authorize(connection, PENDING if pending else ACTIVITY)
        fields = asked.catalogue.contact
        key = contact_id(connection, reader.accounts, who, fields, pending=pending)
        wanted = Filter(
            accounts=reader.accounts,
            targets=(TargetKey("contact", key),),
            fields=given["fields"],
            timeframe=options.timeframe(given, now, reader.zone),
        )
        shown = _Shown(connection, reader, wanted, now)
        shown.activity(None if everything else limit, pending=pending, as_json=as_json)


@contact.command("schema")
@click.argument("what", type=click.Choice(["find", "activity"]), default="activity")
def print_schema(what: str) -> None:
    """Print the JSON Schema of a line that --json prints: of a contact, or of an event of its activity.

    \b
    Example:  audit contact schema activity > activity.schema.json
    """
    if what == "find":
        options.say_schema(type_schema("contact", Contact))
        return
    with Connection(ClickHouseSettings.load().clickhouse) as connection:
        columns = read_columns(connection, "contact_activity")
    schema = rows_schema("activity", columns, nullable=WHILE_PENDING, pending={"type": "boolean"})
    options.say_schema(schema)


class _Shown:
    """One contact's activity on its way to the terminal."""

    def __init__(self, connection: Connection, reader: Reader, wanted: Filter, now: datetime) -> None:
        self._connection = connection
        self._reader = reader
        self._wanted = wanted
        self._contact = Filter(accounts=wanted.accounts, targets=wanted.targets)
        self._now = now

    def activity(self, limit: int | None, *, pending: bool, as_json: bool) -> None:
        """Print it page by page, and below how much is pending.

        Raises:
            AuditError: there is no such contact.
        """
        total = 0
        for page in read_activity(self._connection, self._wanted, limit, everything=as_json, pending=pending):
            total += len(page.rows)
            self._print(page.dicts(), as_json=as_json, header=total == len(page.rows))
        waiting = self._waiting(found=total > 0)
        if not as_json:
            options.say_count(
                total, "event", self._reader.zone, more="--limit, --all" if total == limit else ""
            )
        click.echo(waiting, err=True)

    def _waiting(self, *, found: bool) -> str:
        waiting = read_waiting(self._connection, self._contact)
        line = waiting_line(waiting, self._reader.zone, self._now)
        if found or is_known(self._connection, self._contact):
            return line
        [key] = self._contact.targets
        if not waiting.changes:
            sync = sync_line(waiting.next_sync, self._reader.zone, self._now)
            raise AuditError(
                f"account {self._contact.accounts[0]!r} has no contact {key.id!r}",
                remedy=f"`audit contact find` looks for a name, an e-mail address or a phone number ({sync})",
            )
        return f"nothing is in the activity of contact {key.id!r} yet: {line}"

    def _print(self, events: Iterable[Mapping[str, Any]], *, as_json: bool, header: bool) -> None:
        if as_json:
            for event in events:
                click.echo(event_json(event))
            return
        console = Console(highlight=False)
        view = View(self._reader.zone, self._now, console.width, self._wanted.fields)
        table = activity_table(events, view)
        table.show_header = header
        console.print(table)
