"""What a running stack looks like: each part with its state, memory, port and log."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from audit_deploy.control import Stack
from audit_deploy.programs import Program
from audit_deploy.supervision import Process


@dataclass(frozen=True)
class Part:
    """One process of a stack, as it is now."""

    name: str
    state: str
    """supervisord's word; RUNNING is the good one."""
    waiting_for: str | None
    """Why it is not ready to be used, or nothing."""
    pid: int | None
    uptime_seconds: int
    memory_bytes: int
    """Resident, of the process and its children."""
    port: int
    log: Path

    @property
    def is_well(self) -> bool:
        """Whether it runs and is ready.

        supervisord calls a process STARTING for its first second, however soon it answers.
        """
        return self.state in {"STARTING", "RUNNING"} and self.waiting_for is None


def parts(stack: Stack) -> list[Part]:
    """Every part of a stack, in the order of the start. Asks all of them at once, for seconds at most."""
    processes = stack.processes()
    programs = stack.programs
    with ThreadPoolExecutor(len(programs)) as pool:
        reasons = pool.map(lambda program: program.unready(), programs)
    return [
        _part(stack, program, processes[program.name], reason)
        for program, reason in zip(programs, reasons, strict=True)
    ]


def _part(stack: Stack, program: Program, process: Process, reason: str | None) -> Part:
    return Part(
        name=program.name,
        state=process.state,
        waiting_for=reason,
        pid=process.pid,
        uptime_seconds=process.uptime_seconds,
        memory_bytes=_memory(process.pid),
        port=program.port,
        log=stack.folder.log(program.name),
    )


def _memory(pid: int | None) -> int:
    try:
        root = psutil.Process(pid) if pid else None
        return sum(one.memory_info().rss for one in [root, *root.children(recursive=True)]) if root else 0
    except psutil.NoSuchProcess:
        return 0
