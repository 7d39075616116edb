"""One stack from outside: its addresses, its processes, and control of each by name."""

import json
import os
import signal
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from audit_deploy import clickhouse
from audit_deploy.errors import NotRunning, ProgramFailed
from audit_deploy.folder import Folder
from audit_deploy.ports import HOST
from audit_deploy.programs import CLICKHOUSE, CLICKHOUSE_HTTP, KAFKA, Program, programs
from audit_deploy.supervision import Process, Supervisor

_READY_SECONDS = 60.0
_STARTS = 6
"""A process that was seen starting so often without becoming ready will not."""


@dataclass(frozen=True)
class Plan:
    """What a folder was started with; kept beside its data."""

    ports: Mapping[str, int]
    """Of what belongs to it, by the names of `audit_deploy.programs`."""
    window: str

    def save(self, folder: Folder) -> None:
        """Keep it for those who come later."""
        folder.state.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, folder: Folder) -> "Plan | None":
        """That of the last start in a folder, if there was one."""
        try:
            kept = json.loads(folder.state.read_text())
            return cls(kept["ports"], kept["window"])
        except (OSError, ValueError, TypeError, KeyError):
            return None


class Stack:
    """The stack of a data folder, running or not. Methods may be called from several threads."""

    def __init__(self, folder: Folder, plan: Plan) -> None:
        self.folder = folder
        self.plan = plan
        self.supervisor = Supervisor(folder)

    @classmethod
    def find(cls, folder: Folder) -> "Stack":
        """The running stack of a folder.

        Raises:
            NotRunning: there is none.
        """
        plan = Plan.load(folder)
        if plan is None or not Supervisor(folder).answers():
            raise NotRunning(f"no stack runs in {folder.root}", remedy="start one with: audit stack up")
        return cls(folder, plan)

    @property
    def kafka(self) -> str:
        """Kafka's bootstrap servers."""
        return f"{HOST}:{self.plan.ports[KAFKA]}"

    @property
    def clickhouse(self) -> str:
        """ClickHouse's URL, with the administrator's password."""
        ports = self.plan.ports
        password = clickhouse.passwords(self.folder.credentials)[clickhouse.ADMIN]
        return clickhouse.url(password, port=ports[CLICKHOUSE], http_port=ports[CLICKHOUSE_HTTP])

    @property
    def environment(self) -> dict[str, str]:
        """What a command needs in its environment to use the stack."""
        return {
            "AUDIT_KAFKA": self.kafka,
            "AUDIT_CLICKHOUSE": self.clickhouse,
            "AUDIT_CLICKHOUSE_USERS": str(clickhouse.users_folder(self.folder.clickhouse)),
            "AUDIT_WINDOW": self.plan.window,
        }

    @property
    def programs(self) -> list[Program]:
        """What the stack consists of, in the order of the start."""
        return programs(self.folder, self.plan.ports)

    def processes(self) -> dict[str, Process]:
        """The state of every part by its name."""
        return {process.name: process for process in self.supervisor.processes()}

    def pid(self, name: str) -> int | None:
        """The process id of a part, or None while it does not run."""
        return self.processes()[name].pid

    def start(self, name: str) -> None:
        """Start a part unless it runs; `wait_ready` waits until it can be used."""
        self.supervisor.begin(name)

    def stop(self, name: str) -> None:
        """Stop a part with SIGTERM, wait until it has ended, and leave it stopped."""
        self.supervisor.end(name)

    def kill(self, name: str) -> None:
        """SIGKILL a part and wait until it has gone. As after any crash, it is started again at once.

        Raises:
            ProgramFailed: it is not running.
        """
        pid = self.pid(name)
        if pid is None:
            raise ProgramFailed(f"{name} is not running")
        os.kill(pid, signal.SIGKILL)
        while self.pid(name) == pid:
            time.sleep(0.01)

    def wait_ready(self, *names: str, timeout: float = _READY_SECONDS) -> None:
        """Wait until the named parts, or all of them, can be used.

        Raises:
            ProgramFailed: one keeps ending, or is not ready in time; with its last lines.
        """
        wanted = [program for program in self.programs if not names or program.name in names]
        with ThreadPoolExecutor(len(wanted)) as pool:
            for waiting in [pool.submit(self._wait, program, timeout) for program in wanted]:
                waiting.result()

    def log_tail(self, name: str, lines: int = 8) -> str:
        """The last lines that a part wrote, without the frames of Java's traces."""
        try:
            written = self.folder.log(name).read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return ""
        return "\n".join([line for line in written if not line.startswith("\tat ")][-lines:])

    def close(self) -> bool:
        """Stop everything, workers first, and wait until nothing is left.

        Returns:
            Whether anything ran.
        """
        return self.supervisor.shut_down()

    def _wait(self, program: Program, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        seen: set[int] = set()
        while (reason := program.unready()) is not None:
            process = self.processes()[program.name]
            seen |= {process.pid} if process.pid else set()
            if process.given_up or len(seen) >= _STARTS:
                raise self._failed(program.name, "keeps ending")
            if time.monotonic() > deadline:
                raise self._failed(program.name, f"is not ready after {timeout:.0f} s ({reason})")
            time.sleep(0.05)

    def _failed(self, name: str, what: str) -> ProgramFailed:
        tail = self.log_tail(name)
        text = f"{name} {what}" + (f"; its last lines:\n{tail}" if tail else "")
        return ProgramFailed(text, remedy=self.folder.shortage() or f"its log: {self.folder.log(name)}")
