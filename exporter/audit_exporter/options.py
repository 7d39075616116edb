"""The options that the reading commands share, and what they mean together."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

from audit_exporter.access import Need, Reader, authorize
from audit_exporter.access_record import AccessRecord
from audit_exporter.clickhouse import Connection
from audit_exporter.filters import Filter, TargetKey, read_module, read_network
from audit_exporter.json_schemas import Schema
from audit_exporter.settings import ReaderSettings
from audit_exporter.timeframe import Timeframe
from audit_schemas.catalogue import Catalogue, catalogue
from audit_schemas.plans import Plans, read_plans

Command = TypeVar("Command", bound=Callable[..., Any])


def _only_one(context: click.Context, option: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    if len(given) > 1:
        raise click.BadParameter("give exactly one", context, option)
    return given


_ACCOUNTS = click.option(
    "--account", "accounts", multiple=True, help="The account; repeat it for several. [AUDIT_ACCOUNT]"
)
_ACCOUNT = click.option(
    "--account",
    "accounts",
    multiple=True,  # else click takes the last of several without a word
    callback=_only_one,
    help="The account. [AUDIT_ACCOUNT]",
)
_VIEWER = (
    click.option("--as", "viewer", help="The actor who reads, by id: needs the permission. [AUDIT_AS]"),
    click.option(
        "--tz", "zone", help="Time zone, as in Europe/Berlin; else the actor's, else the account's."
    ),
)
_VIEWERS = {"accounts", "viewer"}
_WHEN = (
    click.option("--since", help="From: 7d, 24h, today, yesterday, a date or an RFC 3339 time."),
    click.option("--until", help="To, itself excluded; written like --since."),
)
_HOW_MANY = (
    click.option(
        "--limit", type=click.IntRange(1), default=50, show_default=True, help="How many, newest first."
    ),
    click.option("--all", "everything", is_flag=True, help="Without a limit."),
)
_WHICH = (
    *_WHEN,
    click.option("--module", "modules", multiple=True, help="Module, by key or title."),
    click.option(
        "--action",
        "actions",
        multiple=True,
        help="Action type: create, update, delete, login, logout, export ...; failed ones are among them.",
    ),
    click.option("--actor", "actors", multiple=True, help="Who did it, by id."),
    click.option("--target", "targets", multiple=True, metavar="TYPE/ID", help="What it was done to."),
    click.option("--related", multiple=True, metavar="TYPE/ID", help="What else it concerned."),
    click.option("--ip", "network", metavar="CIDR", help="From this address or network."),
    click.option("--session", "sessions", multiple=True, help="Within this session."),
    click.option("--request", "requests", multiple=True, help="By this request."),
    click.option("--batch", "batches", multiple=True, help="By this run of a sync or an import."),
    click.option("--field", "fields", multiple=True, help="A field that was changed."),
    click.option("--search", help="Words that occur in the sentence, the names, the address or the reason."),
    click.option("--outcome", type=click.Choice(["success", "failure"]), help="How it ended."),
)


def who(command: Command) -> Command:
    """Add the options that say who reads, of one account or of several."""
    return _add((_ACCOUNTS, *_VIEWER), command)


def who_of_one_account(command: Command) -> Command:
    """Add the options that say who reads, of exactly one account."""
    return _add((_ACCOUNT, *_VIEWER), command)


def when(command: Command) -> Command:
    """Add the options that say from when until when."""
    return _add(_WHEN, command)


def how_many(command: Command) -> Command:
    """Add the options that say how many rows of a list."""
    return _add(_HOW_MANY, command)


def which(command: Command) -> Command:
    """Add the options that say which events."""
    return _add(_WHICH, command)


def _add(options: tuple[Callable[[Command], Command], ...], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked on the command line, before anything is checked."""

    accounts: tuple[str, ...]
    viewer: str
    zone: str | None
    plans: Plans
    catalogue: Catalogue
    """Has the modules' titles and the fields of a contact."""
    record: AccessRecord

    @classmethod
    def read(cls, settings: ReaderSettings, options: dict[str, Any]) -> "Asked":
        """Take who reads out of a command's options; the environment fills in.

        Raises:
            click.UsageError: without an account or an actor nothing is read.
        """
        context = click.get_current_context()
        given = options.pop("accounts") or ((settings.account,) if settings.account else ())
        viewer = options.pop("viewer") or settings.viewer
        if not given or not all(given):
            raise click.UsageError("say which account: --account, or AUDIT_ACCOUNT in the environment")
        if not viewer:
            raise click.UsageError("say who reads: --as, or AUDIT_AS in the environment")
        return cls(
            accounts=tuple(dict.fromkeys(given)),
            viewer=viewer,
            zone=options.pop("zone"),
            plans=read_plans(settings.plans),
            catalogue=catalogue(settings.catalogue),
            record=AccessRecord(
                kafka=settings.kafka,
                operator_account=settings.operator_account,
                command=context.command_path,
                asked={name: value for name, value in context.params.items() if name not in _VIEWERS},
                warn=lambda text: click.echo(f"warning: {text}", err=True),
            ),
        )

    def authorize(self, connection: Connection, need: Need) -> Reader:
        """Check permission and plan in every account, and let the log know."""

        def check() -> Reader:
            return authorize(connection, self.accounts, self.viewer, need, self.zone, self.plans)

        return self.record.let_in(connection, need, check)

    def wanted(self, reader: Reader, now: datetime, options: dict[str, Any]) -> Filter:
        """The filter that a command's options ask for; only accounts that the reader may read.

        Raises:
            Invalid: when one of them cannot be read.
        """
        network = options["network"]
        return Filter(
            accounts=reader.accounts,
            timeframe=timeframe(options, now, reader.zone),
            modules=tuple(read_module(text, self.catalogue) for text in options["modules"]),
            actions=options["actions"],
            actors=options["actors"],
            targets=tuple(TargetKey.read(text) for text in options["targets"]),
            related=tuple(TargetKey.read(text) for text in options["related"]),
            network=None if network is None else read_network(network),
            fields=options["fields"],
            sessions=options["sessions"],
            requests=options["requests"],
            batches=options["batches"],
            words=tuple((options["search"] or "").split()),
            outcome=options["outcome"],
        )


def timeframe(options: dict[str, Any], now: datetime, zone: ZoneInfo) -> Timeframe:
    """From when until when a command's options ask.

    Raises:
        Invalid: when one of them cannot be read.
    """
    return Timeframe.read(options["since"], options["until"], now=now, zone=zone)


def say_count(count: int, what: str, zone: ZoneInfo, *, more: str = "") -> None:
    """Say on standard error how many rows a list has, in which zone, and what shows `more` of them."""
    rest = f" (there may be more: {more})" if more else ""
    click.echo(f"{count:,} {_plural(what) if count != 1 else what}, times in {zone}{rest}", err=True)


def say_schema(schema: Schema) -> None:
    """Print a JSON Schema."""
    click.echo(json.dumps(schema, indent=2, ensure_ascii=False))


def _plural(what: str) -> str:
    return f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
