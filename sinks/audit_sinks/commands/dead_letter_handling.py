"""`audit dead-letters replay` and `purge`: put back what can go its way now, give up the rest."""

from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO
from uuid import UUID

import click
import msgspec

from audit_schemas.own_events import OperatorSettings
from audit_sinks.clickhouse import connect
from audit_sinks.commands.dead_letter_choice import chosen, filters, handled_by
from audit_sinks.dead_letters import stored
from audit_sinks.dead_letters.events import teller
from audit_sinks.dead_letters.purge import purge as give_up
from audit_sinks.dead_letters.replay import Replaying, look
from audit_sinks.dead_letters.replay import replay as put_back
from audit_sinks.dead_letters.returns import Outcome, Returns
from audit_sinks.errors import Incomplete, Invalid
from audit_sinks.settings import Servers

_NONE = "no open dead letter fits"


class Settings(Servers, OperatorSettings):
    """Kafka, ClickHouse, and whose what is that no customer owns."""


@click.command()
@click.argument("ids", nargs=-1, type=click.UUID)
@filters
@click.option("--value", "mended", type=click.File("rb"), help="Put back these bytes instead; for one id.")
@click.option("--reason-text", "why", default="", metavar="TEXT", help="Why, for the record.")
@handled_by
@click.option("--dry-run", is_flag=True, help="Say what would be put back, change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines, one for each letter.")
def replay(  # noqa: PLR0913 - click hands each option over as an argument
    ids: tuple[UUID, ...],
    *,
    mended: BinaryIO | None,
    why: str,
    by: str,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Put refused records back into their topics, with the bytes that they had.

    For when code, catalogue or tables are mended. Filters choose open letters only; exit code 3 when
    some cannot be put back. An event that arrives twice is stored once. The log keeps who did it: in the
    account that the bytes name, else in AUDIT_OPERATOR_ACCOUNT ("auditlane").

    \b
    Example: audit dead-letters replay --stage sink --reason rejected --since 2h --dry-run
    """
    choice = chosen(ids, **given)
    if mended and len(ids) != 1:
        raise click.UsageError("--value mends one letter: give its id")
    value = mended.read() if mended else None
    settings = Settings.load()
    with connect(settings.clickhouse) as client:
        found = stored.choose(client, choice)
        if value is not None:
            _compare(client, found[0], value)
        if dry_run:
            outcomes = look(client, found, value=value)
        else:
            _ask("Replay", found, yes=yes)
            how = Replaying(by=by, reason=why, tell=teller(settings.kafka, settings.operator_account))
            outcomes = put_back(client, Returns(settings.kafka), found, how, value=value)
        _finish(outcomes, as_json=as_json)


@click.command()
@click.argument("ids", nargs=-1, type=click.UUID)
@filters
@click.option("--reason-text", "why", required=True, metavar="TEXT", help="Why they are given up.")
@handled_by
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines, one for each letter.")
def purge(ids: tuple[UUID, ...], *, why: str, by: str, yes: bool, as_json: bool, **given: Any) -> None:
    """Give dead letters up: they are no longer open, and their bytes stay. The log keeps who did it.

    \b
    Example: audit dead-letters purge --topic audit.changes.v1 --reason malformed --reason-text "a load test"
    """
    choice = chosen(ids, **given)
    if not why.strip():
        raise click.UsageError("--reason-text is empty: say why they are given up")
    settings = Settings.load()
    with connect(settings.clickhouse) as client:
        found = stored.choose(client, choice)
        _ask("Give up", found, yes=yes)
        tell = teller(settings.kafka, settings.operator_account)
        for letter in give_up(client, found, by=by, reason=why, tell=tell):
            click.echo(msgspec.json.encode({"id": letter}) if as_json else f"{letter}  given up")
    if not found:
        click.echo(_NONE, err=True)


def _ask(action: str, found: Sequence[UUID], *, yes: bool) -> None:
    if found and not yes:
        click.confirm(f"{action} {len(found)} dead letter{'s' * (len(found) > 1)}?", abort=True, err=True)


def _compare(client: Any, letter_id: UUID, value: bytes) -> None:
    refused = stored.event_id(stored.find(client, letter_id).value_bytes())
    mended = stored.event_id(value)
    if refused and refused != mended:
        click.echo(f"note: this is another event: {mended or 'no id'} instead of {refused}", err=True)


def _finish(outcomes: Iterable[Outcome], *, as_json: bool) -> None:
    """Say what became of each as it is known, and end as the worst of them."""
    done, left = 0, 0
    for outcome in outcomes:
        click.echo(msgspec.json.encode(outcome) if as_json else _line(outcome))
        done, left = done + (not outcome.problem), left + bool(outcome.problem)
    if left:
        raise (Incomplete if done else Invalid)(f"{left} of {done + left} dead letters cannot be put back")
    if not done:
        click.echo(_NONE, err=True)


def _line(outcome: Outcome) -> str:
    if outcome.problem:
        return f"{outcome.id}  not put back: {outcome.problem}"
    if outcome.offset is None:
        return f"{outcome.id}  would go to {outcome.topic}"
    return f"{outcome.id}  is in {outcome.topic}, partition {outcome.partition}, offset {outcome.offset}"
