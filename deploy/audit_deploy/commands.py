"""`audit stack`: the commands; they decide nothing, they call and show."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from audit_deploy import clickhouse, foreground, jars, java, kafka
from audit_deploy.control import Stack
from audit_deploy.folder import Folder
from audit_deploy.programs import CLICKHOUSE, CLICKHOUSE_HTTP, KAFKA, SERVERS, WORKERS
from audit_deploy.settings import StackSettings
from audit_deploy.stack import Options, running, start, stop
from audit_deploy.status import Part, parts
from audit_deploy.steps import Steps

_Function = TypeVar("_Function", bound=Callable[..., Any])
_PORT = click.IntRange(1, 65535)


def _data_dir(default: str) -> Callable[[_Function], _Function]:
    kept = f"Where the data, logs and passwords are.  [default: {default}]"
    return click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help=kept)


_own_data_dir = _data_dir("a folder of this user's; AUDIT_STACK_DATA_DIR")


def _start_options(command: _Function) -> _Function:
    for option in (
        click.option(
            "--no-workers", is_flag=True, help="Only Kafka and ClickHouse: no topics, tables, workers."
        ),
        click.option(
            "--clickhouse-http-port", type=_PORT, help="ClickHouse's HTTP port; free one unless given."
        ),
        click.option(
            "--clickhouse-port", type=_PORT, help="ClickHouse's native port; free one unless given."
        ),
        click.option("--kafka-port", type=_PORT, help="Kafka's port; free one unless given."),
        click.option(
            "--window",
            help="Length of a window, as 3h or 10s: a contact's changes appear in its activity once their "
            "window is over.  [default: 3h]",
        ),
    ):
        command = option(command)
    return command


@click.group()
def stack() -> None:
    """A real Kafka, a real ClickHouse and the workers on this machine, without Docker."""


@stack.command()
@_start_options
@_own_data_dir
def up(data_dir: Path | None, no_workers: bool, **options: Any) -> None:
    """Start the stack and leave it running; a stack that runs already is named, and that is no error.

    \b
    Example:  audit stack up --window 10m --kafka-port 29092
    """
    settings = _settings(data_dir=data_dir, **options)
    console = Console(stderr=True)
    with foreground.ending_on_sigterm(), Steps(console) as steps:
        folder = Folder(settings.stack_data_dir.absolute())
        started = start(folder, Options(settings.window, not no_workers, _ports(settings)), steps.begin)
    said = f"ready after {steps.seconds:.1f} s" if started.is_new else "a stack runs here already"
    console.print(f"{said}: {folder.root}", highlight=False, soft_wrap=True)
    _print_addresses(started.stack)


@stack.command()
@_own_data_dir
def down(data_dir: Path | None) -> None:
    """Stop the stack, the workers first; its data stay.

    \b
    Example:  audit stack down
    """
    folder = _folder(data_dir)
    if not folder.root.is_dir() or not stop(folder):
        click.echo(f"nothing runs in {folder.root}", err=True)
        return
    click.echo(f"stopped; the data stay in {folder.root}", err=True)


@stack.command()
@_own_data_dir
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def status(data_dir: Path | None, as_json: bool) -> None:
    """Show every process, and how to reach the stack. Exit code 3 when one is not ready, or the disk is full.

    \b
    Example:  audit stack status --json
    """
    found = Stack.find(_folder(data_dir))
    listed, shortage = parts(found), found.folder.shortage()
    if as_json:
        described = {
            "data_dir": found.folder.root,
            "environment": found.environment,
            "shortage": shortage,
            "processes": listed,
        }
        click.echo(json.dumps(described, default=_json, indent=2))
    else:
        Console().print(_table(listed))
        for part in listed:
            if not part.is_well:
                click.echo(f"\n{part.name}: {part.waiting_for or part.state}\n{found.log_tail(part.name)}")
        if shortage:
            click.echo(f"\n{shortage}")
        click.echo(f"\nlogs: {found.folder.logs}\n")
        _print_addresses(found)
    sys.exit(0 if not shortage and all(part.is_well for part in listed) else 3)


@stack.command()
@_own_data_dir
@click.argument("name", required=False, type=click.Choice([*SERVERS, *WORKERS, "supervisord"]))
@click.option("-f", "--follow", is_flag=True, help="Go on as lines are written.")
@click.option("-n", "--lines", type=click.IntRange(0), default=20, show_default=True, help="Of each log.")
def logs(data_dir: Path | None, name: str | None, follow: bool, lines: int) -> None:
    """Show the last lines of one process, or of all.

    \b
    Example:  audit stack logs processor -f
    """
    folder = _folder(data_dir)
    files = [folder.log(name)] if name else sorted(folder.logs.glob("*.log"))
    files = [file for file in files if file.exists()]
    if not files:
        raise click.ClickException(f"no log in {folder.logs}")
    # tail knows about rotation and many files.
    os.execvp("tail", ["tail", "-n", str(lines), *(["-F"] if follow else []), *map(str, files)])  # noqa: S606, S607


@stack.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@_start_options
@_data_dir("a temporary one, removed at the end")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(data_dir: Path | None, no_workers: bool, command: tuple[str, ...], **options: Any) -> None:
    """Run a command beside a fresh stack, and return its exit code.

    The command finds AUDIT_KAFKA and AUDIT_CLICKHOUSE in its environment. Nothing is left running, whatever
    happens; without --data-dir no data are left either.

    \b
    Example:  audit stack run --window 10s -- pytest tests
    """
    settings = _settings(**options)
    found = foreground.find(command)
    console = Console(stderr=True)
    steps = Steps(console, quiet=True)
    beside = running(
        data_dir=data_dir,
        window=settings.window,
        workers=not no_workers,
        ports=_ports(settings),
        report=steps.begin,
    )
    with foreground.ending_on_sigterm(), steps, beside as started:
        steps.done()
        code = foreground.run(found, started.environment)
    sys.exit(code)


@stack.command("fetch")
def fetch_command() -> None:
    """Download Kafka's jars into this user's cache, once, and prepare them for a quick start.

    \b
    Example:  audit stack fetch
    """
    at = jars.folder()
    wanting = jars.wanting(at)
    with Progress(console=Console(stderr=True)) as progress:
        if wanting:
            task = progress.add_task("Kafka's jars", total=len(wanting))
            jars.fetch(at, wanting, fetched=lambda _: progress.advance(task))
        if not java.class_cache(at).exists() and os.access(at, os.W_OK):
            task = progress.add_task("a broker's first start", total=1)
            kafka.record_class_cache()
            progress.advance(task)
    click.echo(f"{len(jars.locked())} jars, all as locked, in {at}", err=True)


def _settings(**options: Any) -> StackSettings:
    given = {name if name == "window" else f"stack_{name}": value for name, value in options.items()}
    return StackSettings.load(**{name: value for name, value in given.items() if value is not None})


def _folder(data_dir: Path | None) -> Folder:
    return Folder(_settings(data_dir=data_dir).stack_data_dir.absolute())


def _ports(settings: StackSettings) -> dict[str, int]:
    asked = {
        KAFKA: settings.stack_kafka_port,
        CLICKHOUSE: settings.stack_clickhouse_port,
        CLICKHOUSE_HTTP: settings.stack_clickhouse_http_port,
    }
    return {name: port for name, port in asked.items() if port is not None}


def _print_addresses(stack: Stack) -> None:
    for name, value in stack.environment.items():
        click.echo(f"export {name}='{value}'")
    password = clickhouse.passwords(stack.folder.credentials)[clickhouse.READER]
    play = clickhouse.play_url(stack.plan.ports[CLICKHOUSE_HTTP])
    # Not for `eval`, which takes the lines above.
    click.echo(f"look around: {play}  password: {password}", err=True)


def _table(listed: list[Part]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("PROCESS", "STATE", "PID", "UP", "MEMORY", "PORT", "LOG"):
        table.add_column(heading, justify="right" if heading in {"PID", "UP", "MEMORY", "PORT"} else "left")
    for part in listed:
        state = (
            part.state.lower() if part.is_well or part.state not in {"STARTING", "RUNNING"} else "not ready"
        )
        table.add_row(
            part.name,
            state,
            str(part.pid or "-"),
            f"{part.uptime_seconds} s",
            f"{part.memory_bytes >> 20} MiB",
            str(part.port),
            part.log.name,
        )
    return table


def _json(value: object) -> object:
    return asdict(value) if isinstance(value, Part) else str(value)
