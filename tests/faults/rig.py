"""What a case acts on: servers, workers beside traffic, the broker's boundaries, and the judge of it all."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random

from clickhouse_driver import Client
from command import AUDIT
from sinking import wait_until

from audit_deploy.control import Stack
from audit_deploy.programs import KAFKA
from audit_schemas.settings import ClickHouse

from .judge import Judge
from .log import Log
from .report import Report
from .traffic import Traffic
from .workers import PARTS, Crew, Worker, crew, until


@dataclass
class Tally:
    """What a case counts while it disturbs."""

    kills: int = 0
    """Of servers; the crew knows its own."""
    recoveries: dict[str, list[float]] = field(default_factory=dict)
    """Seconds, by what was killed."""


@dataclass(frozen=True)
class Rig:
    """One test's."""

    name: str
    """Of the case."""
    stack: Stack
    crew: Crew
    judge: Judge
    report: Report
    choose: Random
    """All that a case draws it draws here, so that a seed repeats it."""
    folder: Path
    length: int = 2
    """Of the windows, seconds."""
    times: int = 1
    """How often a case does what it does."""
    settings: dict[str, str] = field(default_factory=dict)
    """Of every worker that is started."""
    tally: Tally = field(default_factory=Tally)
    traffic: Traffic | None = None
    """What is published while a case disturbs."""

    @property
    def repeat(self) -> str:
        """The command that runs this case once more, with the same choices."""
        return f'make faults CASE="{self.name}" SEED={self.report.seed}'

    @property
    def kills(self) -> int:
        """How many processes SIGKILL has ended in this case."""
        return self.crew.kills + self.tally.kills

    def start(self, part: str, **more: str) -> Worker:
        """Start a worker; settings are what belongs into its environment beside the stack's."""
        return self.crew.start(part, {"AUDIT_WINDOW": f"{self.length}s", **self.settings, **more})

    def processor(self, **more: str) -> Worker:
        """Start an enriching worker."""
        return self.start("processor", **more)

    def windows(self, **more: str) -> Worker:
        """Start a worker that closes windows."""
        return self.start("windows", **more)

    def sink(self, **more: str) -> Worker:
        """Start a sink."""
        return self.start("sink", **more)

    def complete(self) -> None:
        """Start a worker of each kind of which none runs, and wait until all are ready."""
        for worker in [(self.crew.running(part) or [self.start(part)])[-1] for part in PARTS]:
            worker.until_ready()

    def kill(self, server: str) -> None:
        """SIGKILL Kafka or ClickHouse; it is started again at once, and the workers wait for it."""
        self.tally.kills += 1
        self.stack.kill(server)

    def until_back(self, server: str) -> None:
        """Wait until a server that was killed or started can be used again."""
        self.stack.wait_ready(server, timeout=120)
        if server == KAFKA:
            wait_until(self.judge.answers, seconds=60, about="Kafka leading its partitions")

    @contextmanager
    def frozen(self, server: str) -> Iterator[None]:
        """SIGSTOP a server for as long as the block runs: its connections stay, and nobody answers."""
        pid = self.stack.pid(server)
        assert pid is not None, f"{server} does not run"
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def near_boundary(self, earliest: float, latest: float) -> None:
        """Wait for a moment so many seconds around the next boundary, by the broker's clock."""
        moment = self.choose.uniform(earliest, latest)
        now = time.time() - earliest  # so that the earliest moment is not over yet
        until((now // self.length + 1) * self.length + moment)

    def pause(self, shortest: float, longest: float) -> None:
        """Let things flow for a while."""
        time.sleep(self.choose.uniform(shortest, longest))

    def audit(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run an operators' command beside the stack."""
        return subprocess.run(
            [AUDIT, *arguments],
            env={**os.environ, **self.stack.environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def verify(self, since: datetime, until: datetime) -> "subprocess.CompletedProcess[str]":
        """Ask the operators' own check of what was received in a span of time."""
        scope = ("--since", since.isoformat(), "--until", until.isoformat())
        return self.audit("verify", "--json", "--grace", "0", *scope)


def clickhouse_client(stack: Stack) -> Client:
    """A client of the administrator."""
    server = ClickHouse.from_url(stack.clickhouse)
    password = server.password.get_secret_value()
    return Client(server.host, server.port, server.database, server.user, password)


@contextmanager
def rig_on(stack: Stack, name: str, report: Report, choose: Random, folder: Path) -> Iterator[Rig]:
    """The rig of one case; its workers are gone afterwards."""
    log = Log(stack.kafka)
    with clickhouse_client(stack) as client, crew(stack.environment, folder) as workers:
        yield Rig(name, stack, workers, Judge(log, client), report, choose, folder)
    log.close()
