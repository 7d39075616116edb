"""`audit publish`: JSON lines into Kafka; the good ones go, the bad ones are kept and explained."""

import json
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import click

from audit_producers.delivery import Record, open_delivery, wait_until_acknowledged
from audit_producers.lifecycle import Publisher
from audit_producers.publishing import Lines
from audit_producers.rejected import RejectedLines, is_same_file
from audit_producers.settings import Settings
from audit_schemas.errors import Incomplete, Invalid, Unreachable
from audit_schemas.event import Event

_ANSWER_SECONDS = 5.0
_BOM = b"\xef\xbb\xbf"
_LONG = 4 * 1024 * 1024
"""Files from so many bytes on show their progress."""


@dataclass(slots=True)
class Counts:
    """What became of the lines."""

    read: int = 0
    published: int = 0
    """Acknowledged by Kafka."""
    rejected: int = 0


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Check every line and publish nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON object.")
@click.option(
    "--rejected",
    "rejected_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where bad lines are kept; FILE.rejected.jsonl by default.",
)
@click.option("--service", default="audit-publish", show_default=True, help="The name to publish under.")
@click.option(
    "--give-up-after",
    "patience",
    type=click.FloatRange(min=0.1),
    default=30.0,
    show_default=True,
    help="Seconds without an acknowledgement.",
)
def publish(
    file: BinaryIO, *, dry_run: bool, as_json: bool, rejected_path: Path | None, service: str, patience: float
) -> None:
    """Publish FILE's events, one JSON object a line; - is standard input.

    The form of an event is that of `audit schema print`; `id` and `occurred_at` may be left out. A
    line with a time, but without an id, gets one from its content: publishing the same file again
    stores nothing twice. A line without a time happens now, each time that it is published.
    Values are published as they are: secrets are for the file's author to leave out.

    Bad lines are reported, kept in FILE.rejected.jsonl, and end the command with exit code 3.

    \b
    Example:  audit publish events.jsonl
              tail -F changes.jsonl | audit publish -
    """
    path = rejected_path or Path(
        "rejected.jsonl" if file.name == "<stdin>" else f"{file.name}.rejected.jsonl"
    )
    if is_same_file(file, path):
        raise click.UsageError(f"{path} is the file that is read; name another with --rejected")
    counts, rejected = Counts(), RejectedLines(None if dry_run else path)
    events = _events(file, Lines(service), counts, rejected)
    try:
        if dry_run:
            deque(events, maxlen=0)
        else:
            settings = Settings.load(service=service, block_seconds=patience, exit_seconds=patience)
            _publish(events, counts, rejected, settings)
    finally:
        kept = rejected.close()
    _report(counts, kept, as_json=as_json)
    if counts.rejected:
        raise Incomplete(
            f"{counts.rejected:,} of {counts.read:,} lines are no events",
            remedy=f"they are kept in {kept}: repair them there and publish that file" if kept else "",
        )


def _events(
    file: BinaryIO, lines: Lines, counts: Counts, rejected: RejectedLines
) -> Iterator[tuple[Event, bytes]]:
    """The events of the good lines; the bad ones are told and kept."""
    for number, raw in enumerate(_shown(file), 1):
        line = (raw.removeprefix(_BOM) if number == 1 else raw).strip()
        if not line:
            continue
        counts.read += 1
        try:
            event = lines.event_of(line, datetime.now(UTC))
        except Invalid as error:
            counts.rejected += 1
            rejected.keep(line)
            click.echo(f"line {number}: {error.message}", err=True)
        else:
            yield event


def _publish(
    events: Iterable[tuple[Event, bytes]], counts: Counts, rejected: RejectedLines, settings: Settings
) -> None:
    undelivered: list[tuple[Record, str]] = []
    delivery = open_delivery(
        settings.delivery, settings, lambda record, why: undelivered.append((record, why))
    )
    delivery.check(min(_ANSWER_SECONDS, settings.exit_seconds))
    publisher = Publisher(delivery, settings)
    try:
        for event, body in events:
            publisher.publish_event(event, body)
        wait_until_acknowledged(delivery, settings.exit_seconds)
        publisher.close()
    except Unreachable as error:
        publisher.close(0)
        raise Unreachable(
            f"{error.message}; {delivery.stats.acknowledged:,} of {counts.read:,} events were acknowledged",
            remedy="publish again once Kafka is back: a line that says when it happened is not stored twice",
        ) from None
    finally:
        counts.published = delivery.stats.acknowledged
    for record, why in undelivered:
        counts.rejected += record.is_event
        rejected.keep(record.value)
        click.echo(f"refused by Kafka: {why}", err=True)


def _shown(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; a long one shows on the terminal how far it is."""
    size = os.fstat(file.fileno()).st_size
    with click.progressbar(
        length=size, label="publishing", file=sys.stderr, hidden=size < _LONG or not sys.stderr.isatty()
    ) as bar:
        unseen = 0
        for number, raw in enumerate(file):
            yield raw
            unseen += len(raw)
            if number % 1000 == 0:
                bar.update(unseen)
                unseen = 0
        bar.update(unseen)


def _report(counts: Counts, kept: Path | None, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({**asdict(counts), "rejected_file": str(kept) if kept else None}))
    else:
        click.echo(f"{counts.read:,} read, {counts.published:,} published, {counts.rejected:,} rejected")
