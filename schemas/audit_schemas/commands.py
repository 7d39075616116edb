"""`audit schema`: print the published JSON Schemas, check a file of events, or a catalogue, against them."""

import json
from pathlib import Path
from typing import BinaryIO

import click

from audit_schemas.catalogue import catalogue, differences
from audit_schemas.errors import AuditError, Invalid
from audit_schemas.published_schemas import MESSAGES, breaks, folder, published, schema_of, text_of
from audit_schemas.validation import read_draft


@click.group()
def schema() -> None:
    """The messages' JSON Schemas."""


@schema.command("print")
@click.argument("message", type=click.Choice(list(MESSAGES)), default="event")
def print_schema(message: str) -> None:
    """Print a message's JSON Schema; without a name the event's, as `audit publish` takes it.

    \b
    Example:  audit schema print event > event.schema.json
    """
    click.echo(text_of(schema_of(message)), nl=False)


@schema.command()
@click.argument("file", type=click.File("rb"), required=False)
@click.option(
    "--catalogue",
    "catalogue_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Check a file for AUDIT_CATALOGUE, and show what it adds and what it says otherwise.",
)
@click.option(
    "--published", "against_published", is_flag=True, help="Check that the published schemas are current."
)
def check(file: BinaryIO | None, catalogue_file: Path | None, against_published: bool) -> None:
    """Check a file of JSON lines as `audit publish` would read it, without publishing.

    \b
    Example:  audit schema check events.jsonl
              audit schema check --catalogue catalogue.toml
    """
    if catalogue_file is not None:
        _check_catalogue(catalogue_file)
    elif against_published:
        _check_published()
    elif file is None:
        raise click.UsageError("name a file of events, or - for standard input")
    else:
        _check_events(file)


@schema.command()
def publish() -> None:
    """Write the published schemas anew; refuses a change that is not backward compatible.

    \b
    Example:  audit schema publish && git diff schemas
    """
    for name in MESSAGES:
        old, new = published(name), schema_of(name)
        if old is not None and (found := breaks(old, new)):
            raise AuditError(
                f"the schema of {name} is not backward compatible: {'; '.join(found)}",
                remedy="add an optional field instead, or begin a new version of the topic",
            )
        _write(folder() / f"{name}.json", text_of(new))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")


def _check_published() -> None:
    stale = [name for name in MESSAGES if published(name) != json.loads(json.dumps(schema_of(name)))]
    if stale:
        raise AuditError(
            f"the published schema is not current: {', '.join(stale)}", remedy="run: audit schema publish"
        )


def _check_catalogue(file: Path) -> None:
    made = catalogue(file)
    for difference in differences(file):
        click.echo(difference)
    click.echo(f"catalogue {made.version}: {len(made.modules)} modules, {len(made.targets)} target types")


def _check_events(file: BinaryIO) -> None:
    good = bad = 0
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            read_draft(line)
            good += 1
        except Invalid as error:
            bad += 1
            click.echo(f"line {number}: {error.message}")
    click.echo(f"{good:,} good, {bad:,} bad")
    if bad:
        raise Invalid(
            f"{bad:,} of {good + bad:,} lines are no events", remedy="audit schema print shows the form"
        )
