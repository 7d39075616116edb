"""`audit topics` and `audit processor`."""

import json

import click

from audit_schemas.settings import KafkaSettings
from audit_schemas.topics import TOPICS, Topic
from audit_stream_processors.kafka import admin_client
from audit_stream_processors.settings import ProcessorSettings, WindowsSettings
from audit_stream_processors.topics_admin import Found, apply, describe, drift, plan


@click.group()
def topics() -> None:
    """The Kafka topics."""


@topics.command("apply")
@click.option("--partitions", type=click.IntRange(1), default=4, show_default=True, help="Of new topics.")
@click.option("--replication", type=click.IntRange(1), default=1, show_default=True, help="Of new topics.")
def apply_topics(partitions: int, replication: int) -> None:
    """Create the topics that are missing and correct the settings that have drifted.

    Deletes nothing, and never changes the number of partitions of a topic that exists.

    \b
    Example:  audit topics apply --partitions 12 --replication 3
    """
    admin = admin_client(KafkaSettings.load().kafka)
    steps = plan(describe(admin), partitions=partitions, replication=replication)
    apply(admin, steps)
    _print_table(
        ("TOPIC", "PARTITIONS", "RESULT"),
        [(step.topic.name, str(step.partitions), str(step)) for step in steps],
    )


@topics.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_topics(as_json: bool) -> None:
    """List the topics with their partitions, retention and what has drifted.

    \b
    Example:  audit topics list --json
    """
    found = describe(admin_client(KafkaSettings.load().kafka))
    if as_json:
        for topic in TOPICS.values():
            click.echo(json.dumps(_as_json(topic, found.get(topic.name))))
        return
    _print_table(
        ("TOPIC", "PARTITIONS", "RETENTION", "STATE", "ABOUT"),
        [_as_row(topic, found.get(topic.name)) for topic in TOPICS.values()],
    )


def _as_json(topic: Topic, found: Found | None) -> dict[str, object]:
    return {
        "topic": topic.name,
        "about": topic.about,
        "partitions": found.partitions if found else 0,
        "replication": found.replication if found else 0,
        "retention_seconds": topic.retention and int(topic.retention.total_seconds()),
        "drift": {name: {"is": was, "must_be": wanted} for name, (was, wanted) in drift(topic, found).items()}
        if found
        else {},
    }


def _as_row(topic: Topic, found: Found | None) -> tuple[str, ...]:
    kept = "compacted" if topic.retention is None else f"{topic.retention.days} d"
    if found is None:
        return topic.name, "-", kept, "missing", topic.about
    drifted = ", ".join(drift(topic, found))
    return topic.name, str(found.partitions), kept, f"drifted: {drifted}" if drifted else "ok", topic.about


def _print_table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@click.group()
def processor() -> None:
    """The worker that enriches events."""


@processor.command()
def run() -> None:
    """Enrich events until stopped: audit.changes.v1 to audit.events.v1.

    SIGTERM and Ctrl-C finish the run in hand, commit and leave.

    \b
    Variable                        Default   What it is
    AUDIT_KAFKA                     required  bootstrap servers: host:port, ...
    AUDIT_HTTP_PORT                 0         of /healthz, /readyz, /metrics; 0: any
    AUDIT_WINDOW                    3h        length of the windows of contact changes, 24h at most
    AUDIT_TICK_SECONDS              5         how exactly is known up to when the log is complete
    AUDIT_PLACES                    none      folder of mmdb files: countries, cities, networks
    AUDIT_CATALOGUE                 none      own file over the catalogue: audit schema check --catalogue
    AUDIT_PROCESSOR_RUN_RECORDS     5000      at most so many records in one run
    AUDIT_PROCESSOR_COMMIT_SECONDS  0.5       seconds between two commits
    AUDIT_PROCESSOR_REFUSAL_LIMIT   10000     refused records in a row that stop it; 0: none do
    AUDIT_PROCESSOR_STALL_SECONDS   900       seconds with one run after which it leaves the group
    AUDIT_KILL_POINT                none      for tests: where this process ends

    \b
    Example:  AUDIT_KAFKA=127.0.0.1:9092 AUDIT_HTTP_PORT=9101 audit processor run
    """
    from audit_stream_processors import enriching  # noqa: PLC0415 - Faust takes half a second to import

    enriching.run_processor(ProcessorSettings.load())


@click.group()
def windows() -> None:
    """The worker that closes the windows of contact changes."""


@windows.command("run")
def run_windows() -> None:
    """Batch contact changes by window until stopped: audit.contact-changes.v1 to audit.contact-batches.v1.

    A window is over once the log shows it; no clock of this worker decides anything. SIGTERM and
    Ctrl-C finish the part in hand, commit and leave.

    \b
    Variable                        Default   What it is
    AUDIT_KAFKA                     required  bootstrap servers: host:port, ...
    AUDIT_HTTP_PORT                 0         of /healthz, /readyz, /metrics; 0: any
    AUDIT_WINDOWS_PART_RECORDS      10000     at most so many changes in one run
    AUDIT_WINDOWS_PART_BYTES        8388608   at most so many bytes of them
    AUDIT_PROCESSOR_COMMIT_SECONDS  0.5       seconds between two commits
    AUDIT_PROCESSOR_REFUSAL_LIMIT   10000     refused records in a row that stop it; 0: none do
    AUDIT_PROCESSOR_STALL_SECONDS   900       seconds with one part after which it leaves the group
    AUDIT_KILL_POINT                none      for tests: where this process ends

    \b
    Example:  AUDIT_KAFKA=127.0.0.1:9092 AUDIT_HTTP_PORT=9102 audit windows run
    """
    from audit_stream_processors.windows import worker  # noqa: PLC0415 - as above

    worker.run_windows(WindowsSettings.load())
