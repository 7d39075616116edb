"""Starting and ending a stack: `start` leaves one running, `running` keeps one for a block of code."""

import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audit_deploy import clickhouse, foreground, kafka
from audit_deploy.control import Plan, Stack
from audit_deploy.errors import AlreadyRunning, NotRunning, ProgramFailed, StackError
from audit_deploy.folder import Folder
from audit_deploy.ports import choose
from audit_deploy.programs import (
    CLICKHOUSE,
    CLICKHOUSE_HTTP,
    CONTROLLER,
    KAFKA,
    PREPARATIONS,
    Program,
    audit,
    port_names,
)
from audit_deploy.supervision import Job

Report = Callable[[str], object]
"""Told when a step begins, in words for people."""


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True)
class Options:
    """What a stack can be told."""

    window: str = "3h"
    """The length of a window, as in AUDIT_WINDOW."""
    workers: bool = True
    """Whether topics, tables and workers belong to it, or only Kafka and ClickHouse."""
    ports: Mapping[str, int] | None = None
    """By the names of `audit_deploy.programs`; the others are those of last time, or free ones."""


@dataclass(frozen=True)
class Started:
    """The stack of a folder, and whether it was started only now."""

    stack: Stack
    is_new: bool


def start(folder: Folder, options: Options, report: Report = _silent) -> Started:
    """Start a stack that outlives this process, unless one runs in the folder already.

    Args:
        folder: the data folder; made when missing.
        options: of a new stack; one that runs stays as it is.
        report: told when each step begins.

    Raises:
        FolderUnusable: the folder cannot be written, or its disk is full.
        PortTaken: a port that was asked for is in use.
        JarsMissing: Kafka's jars were not fetched.
        ProgramFailed: a part does not become ready; everything is stopped again.
    """
    folder.prepare()
    with folder.locked():
        try:
            return Started(Stack.find(folder), is_new=False)
        except NotRunning:
            return Started(_launched(folder, options, report, tied=False), is_new=True)


def stop(folder: Folder) -> bool:
    """Stop the stack of a folder, workers first, and wait until nothing is left.

    Returns:
        Whether anything ran.
    """
    plan = Plan.load(folder)
    if plan is None:
        return False
    with folder.locked():
        return Stack(folder, plan).close()


@contextmanager
def running(
    *,
    data_dir: Path | None = None,
    window: str = "3h",
    workers: bool = True,
    ports: Mapping[str, int] | None = None,
    report: Report = _silent,
) -> Iterator[Stack]:
    """A stack for as long as the block runs. Nothing is left running after it, whatever ends this process.

    Args:
        data_dir: keeps the data. Without it they are in a temporary folder, which is left only when the stack
            itself does not start, for its logs.
        window: the length of a window, as in AUDIT_WINDOW.
        workers: whether topics, tables and workers belong to it, or only Kafka and ClickHouse.
        ports: by the names of `audit_deploy.programs`.
        report: told when each step of the start begins.

    Raises:
        StackError: as `start` does; also when a stack runs in `data_dir` already.
    """
    if threading.current_thread() is not threading.main_thread():
        # The kernel ties a process to the thread that started it.
        raise StackError("a stack can be started by the main thread only")
    with _data_folder(data_dir) as folder:
        folder.prepare()
        with folder.locked():
            if Stack(folder, Plan({}, "")).supervisor.answers():
                raise AlreadyRunning(
                    f"a stack runs in {folder.root}", remedy="stop it with: audit stack down"
                )
            stack = _launched(folder, Options(window, workers, ports), report, tied=True)
        try:
            yield stack
        finally:
            stack.close()


@contextmanager
def _data_folder(given: Path | None) -> Iterator[Folder]:
    if given is not None:
        yield Folder(given.absolute())
        return
    made = Path(tempfile.mkdtemp(prefix="audit-stack-"))
    keep = False
    try:
        yield Folder(made)
    except ProgramFailed:
        keep = True
        raise
    finally:
        if not keep:
            shutil.rmtree(made, ignore_errors=True)


def _launched(folder: Folder, options: Options, report: Report, *, tied: bool) -> Stack:
    last = Plan.load(folder)
    names = port_names(workers=options.workers)
    ports = choose(names, given=options.ports or {}, last=last.ports if last else {})
    stack = Stack(folder, Plan(ports, options.window))
    _configure(stack, report)
    try:
        _start_servers(stack, report, tied=tied)
        if options.workers:
            _start_workers(stack, report)
    except BaseException:
        stack.close()
        raise
    return stack


def _configure(stack: Stack, report: Report) -> None:
    report("preparing the data folder")
    folder, ports = stack.folder, stack.plan.ports
    kafka.configure(folder.kafka, port=ports[KAFKA], controller_port=ports[CONTROLLER])
    passwords = clickhouse.passwords(folder.credentials)
    clickhouse.configure(
        folder.clickhouse, passwords, port=ports[CLICKHOUSE], http_port=ports[CLICKHOUSE_HTTP]
    )
    stack.plan.save(folder)


def _start_servers(stack: Stack, report: Report, *, tied: bool) -> None:
    report("starting Kafka and ClickHouse")
    stack.supervisor.start(
        [_job(program) for program in stack.programs], foreground.environment(stack.environment), tied=tied
    )
    stack.wait_ready(*(program.name for program in stack.programs if program.is_server))


def _start_workers(stack: Stack, report: Report) -> None:
    report(" and ".join(_named(command) for command in PREPARATIONS))
    with ThreadPoolExecutor() as pool:
        for prepared in [pool.submit(_prepare, stack, command) for command in PREPARATIONS]:
            prepared.result()
    workers = [program.name for program in stack.programs if not program.is_server]
    report(f"starting the workers: {', '.join(workers)}")
    for name in workers:
        stack.start(name)
    stack.wait_ready(*workers)


def _prepare(stack: Stack, command: Sequence[str]) -> None:
    environment = foreground.environment(stack.environment)
    done = subprocess.run(audit(*command), env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ProgramFailed(f"`{_named(command)}` failed:\n{(done.stderr or done.stdout).strip()}")


def _named(command: Sequence[str]) -> str:
    return f"audit {' '.join(command)}"


def _job(program: Program) -> Job:
    return Job(
        program.name,
        program.command,
        program.environment,
        # Lower ones stop later: the workers finish what they have in hand on servers that still run.
        priority=10 if program.is_server else 20,
        at_once=program.is_server,
    )
