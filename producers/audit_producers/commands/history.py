"""`audit import`: years of past events from another system's dump."""

import json
import math
import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import click

from audit_producers.commands.import_progress import Progress
from audit_producers.delivery import Record as KafkaRecord
from audit_producers.delivery import open_delivery
from audit_producers.history.dump import Dump, open_dump
from audit_producers.history.events import History, events
from audit_producers.history.importing import Pace, Steady, Unhurried, Wiring, import_records
from audit_producers.history.lag import Lag
from audit_producers.history.mapped import mapped
from audit_producers.history.mapping import READY, digest_of, read_mapping, ready_text
from audit_producers.history.preview import Preview
from audit_producers.history.state import State, StateFile
from audit_producers.lifecycle import Publisher
from audit_producers.rejected import RejectedLines, is_same_file
from audit_producers.settings import Settings
from audit_schemas.catalogue import catalogue
from audit_schemas.catalogue.reading import CatalogueSettings
from audit_schemas.errors import Incomplete, Invalid, Unreachable
from audit_schemas.wording.module import module_rules

_SERVICE = "audit-import"
_ANSWER_SECONDS = 5.0
_TOLD = 20
"""So many rejected records are told one by one."""


def _print_mapping(ctx: click.Context, param: click.Parameter, name: str | None) -> None:  # noqa: ARG001
    if name is not None:
        click.echo(ready_text(name), nl=False)
        ctx.exit()


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--mapping", "mapping_name", metavar="FILE", help=f"A TOML file, or {' or '.join(READY)}.")
@click.option("--account", help="Whose events these are, where neither mapping nor record says so.")
@click.option("--source", help="The system that they come from; the mapping's by default.")
@click.option("--dry-run", is_flag=True, help="Read all, publish nothing, show what would be.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON object.")
@click.option("--rate", type=click.FloatRange(min=1), help="The most records a second.")
@click.option(
    "--at-once", is_flag=True, help="Do not look at what live events wait for: before anybody uses the log."
)
@click.option("--from-start", is_flag=True, help="Begin at the first record, whatever an earlier run left.")
@click.option(
    "--state",
    "state_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where an import that was ended notes how far it is; FILE.import.json by default.",
)
@click.option(
    "--rejected",
    "rejected_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where bad records are kept; FILE.rejected.jsonl by default.",
)
@click.option(
    "--give-up-after",
    "patience",
    type=click.FloatRange(min=0.1),
    default=30.0,
    show_default=True,
    help="Seconds in which neither Kafka nor whoever reads from it goes on.",
)
@click.option(
    "--print-mapping",
    type=click.Choice(READY),
    is_eager=True,
    expose_value=False,
    callback=_print_mapping,
    help="Print a ready mapping, to change it.",
)
def import_history(
    file: BinaryIO, mapping_name: str | None, *, dry_run: bool, as_json: bool, **given: Any
) -> None:
    """Import FILE's past events as history; - is standard input.

    FILE is JSON lines, a JSON array or CSV, plain, gzip or zstd. Without a mapping its lines are events as
    `audit publish` takes them. Importing a file again stores nothing twice, and an import that was ended
    goes on where it was. History goes no faster than live events do not wait for it.

    Bad records are reported, kept in FILE.rejected.jsonl, and end the command with exit code 3.

    \b
    Example:  audit import versions.csv.gz --mapping paper-trail --account acme --dry-run
              audit import events.jsonl.zst
              audit import --print-mapping django-auditlog > own.toml
    """
    mapping = read_mapping(mapping_name) if mapping_name else None
    account, source = given["account"], given["source"] or (mapping.source if mapping else _SERVICE)
    history = History(
        mapped(mapping, account) if mapping else events(account), source=source, account=account
    )
    dump = open_dump(file, mapping)
    if dry_run:
        _preview(dump, history, as_json=as_json)
        return
    identity = dump.identity(digest_of(mapping), str(account), source)
    _import(dump, history, identity, as_json=as_json, **given)


def _preview(dump: Dump, history: History, *, as_json: bool) -> None:
    preview = Preview(module_rules(catalogue(CatalogueSettings.load().catalogue)))
    now = datetime.now(UTC)
    with Progress(dump) as progress:
        for record in dump.records:
            try:
                preview.good(*history.event_of(record, now))
            except Invalid as error:
                preview.bad(record.line, error.message)
            progress.show(preview.read)
    if as_json:
        click.echo(json.dumps(preview.as_json(), ensure_ascii=False))
    else:
        for line in preview.as_lines():
            click.echo(line)
    if preview.rejected:
        raise Incomplete(f"{preview.rejected:,} of {preview.read:,} records would be rejected")


def _import(dump: Dump, history: History, identity: str, *, as_json: bool, **given: Any) -> None:
    rejected_path = given["rejected_path"] or dump.beside("rejected.jsonl", "rejected.jsonl")
    state_path = given["state_path"] or dump.beside("import.json", None)
    for path in (rejected_path, state_path):
        if path is not None and is_same_file(dump.file, path):
            raise click.UsageError(f"{path} is the file that is read; name another")
    states = StateFile(state_path, identity)
    state, why_not = states.read(from_start=given["from_start"])
    if why_not:
        click.echo(f"{why_not}: the import begins at the first record, which stores nothing twice", err=True)
    elif state.records:
        click.echo(f"going on after {state.records:,} records, {state.imported:,} of them imported", err=True)
    rejected = RejectedLines(rejected_path, state.rejected_bytes)
    try:
        state, is_done = _run(dump, history, states, state, rejected, **given)
    finally:
        kept = rejected.close()
    _report(state, is_done=is_done, kept=kept, as_json=as_json)
    if not is_done:
        raise Incomplete(
            f"stopped after {state.records:,} records, all of them acknowledged", remedy=states.how_to_go_on
        )


def _run(
    dump: Dump, history: History, states: StateFile, state: State, rejected: RejectedLines, **given: Any
) -> tuple[State, bool]:
    patience = given["patience"]
    settings = Settings.load(service=_SERVICE, block_seconds=patience, exit_seconds=patience)
    undelivered: list[tuple[KafkaRecord, str]] = []
    delivery = open_delivery(
        settings.delivery, settings, lambda record, why: undelivered.append((record, why))
    )
    delivery.check(min(_ANSWER_SECONDS, patience))
    publisher = Publisher(delivery, settings)
    newest = state

    def show(state: State) -> None:
        nonlocal newest
        newest = state
        progress.show(state.records)

    with _stopping() as stopping, _pace(settings, stopping, **given) as pace, Progress(dump) as progress:
        wiring = Wiring(
            history=history,
            publisher=publisher,
            delivery=delivery,
            undelivered=undelivered,
            rejected=rejected,
            states=states,
            pace=pace,
            patience=patience,
            tell=_Teller(),
            show=show,
        )
        try:
            state, is_done = import_records(dump.records, state, wiring)
        except Unreachable as error:
            publisher.close(0)
            raise Unreachable(
                f"{error.message}; {newest.records:,} records are done",
                remedy="; ".join(filter(None, (states.how_to_go_on, error.remedy))),
            ) from None
        finally:
            publisher.close()
    if is_done:
        states.remove()
    return state, is_done


@contextmanager
def _pace(
    settings: Settings,
    stopping: threading.Event,
    *,
    rate: float | None,
    at_once: bool,
    patience: float,
    **_: Any,
) -> Iterator[Pace]:
    limit = rate or math.inf
    if at_once or settings.delivery != "kafka":
        yield Steady(limit, stopping)
        return
    with closing(Lag(settings)) as lag:
        yield Unhurried(lag.look, limit, patience, stopping)


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Set by the first SIGTERM or Ctrl-C, after which a second one ends the process at once."""
    stopping = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, _: object) -> None:
        stopping.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, stop)
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Teller:
    """Tells the first rejected records; all of them are in the file."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, line: int | None, reason: str) -> None:
        self._count += 1
        if self._count <= _TOLD:
            click.echo(reason if line is None else f"line {line}: {reason}", err=True)
        elif self._count == _TOLD + 1:
            click.echo("… further ones are only kept", err=True)


def _report(state: State, *, is_done: bool, kept: Path | None, as_json: bool) -> None:
    if as_json:
        told = {"read": state.records, "imported": state.imported, "rejected": state.rejected}
        click.echo(json.dumps({**told, "is_done": is_done, "rejected_file": str(kept) if kept else None}))
    else:
        click.echo(f"{state.records:,} read, {state.imported:,} imported, {state.rejected:,} rejected")
    if is_done and state.rejected:
        raise Incomplete(
            f"{state.rejected:,} of {state.records:,} records were rejected",
            remedy=f"{kept} keeps them with the reasons: mend the mapping or the file, and import it again, "
            "which stores nothing twice",
        )
