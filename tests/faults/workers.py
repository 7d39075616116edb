"""Workers as processes of their own: started by their commands, asked over HTTP, stopped, frozen, killed."""

import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from command import AUDIT
from sinking import wait_until

PARTS = ("processor", "windows", "sink")
"""The kinds of workers."""


class Worker:
    """One running `audit … run`."""

    def __init__(self, part: str, environment: Mapping[str, str], log: Path) -> None:
        self.part, self.log = part, log
        self.let_go = False
        """Whether it was told to end, or meant to."""
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [AUDIT, part, "run"],
                env={**os.environ, **environment, "AUDIT_HTTP_PORT": "0"},
                stdout=output,
                stderr=output,
                cwd=log.parent,
            )

    def until_ready(self) -> "Worker":
        """Wait until it has its partitions; a killed one's session must end first."""
        wait_until(lambda: self.is_ready or not self.runs, seconds=120, about=f"{self.part} ready")
        assert self.runs, f"{self.part} ended with {self.process.returncode}:\n{self.said()[-3000:]}"
        return self

    @property
    def is_ready(self) -> bool:
        """Whether it says so."""
        return self.readiness() == "ok\n"

    def readiness(self) -> str:
        """What it answers to whoever asks whether it is ready: ok, or what it waits for."""
        return self._get("/readyz")

    def metric(self, name: str) -> float:
        """A metric without labels; not a number while it is not there."""
        found = re.search(rf"^{name} (\S+)$", self._get("/metrics"), re.MULTILINE)
        return float(found[1]) if found else float("nan")

    def peak_memory(self) -> int:
        """The most memory that it has held, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (kib,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
        return int(kib) * 1024

    def stop(self) -> None:
        """SIGTERM: it finishes what it has in hand, and leaves its group."""
        self._end(signal.SIGTERM)
        assert self.process.returncode == 0, self.said()

    def kill(self) -> None:
        """SIGKILL: its group waits for it until its session is over."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP: it knows nothing of what happens until `go_on`."""
        self.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: self.is_frozen, seconds=10, about=f"{self.part} stopped")

    def go_on(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    @property
    def is_frozen(self) -> bool:
        """Whether it is stopped: by `freeze`, or at a point where it was armed to."""
        status = Path(f"/proc/{self.process.pid}/stat").read_text()
        return status.rpartition(")")[2].split()[0] == "T"

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    @property
    def was_killed(self) -> bool:
        """Whether SIGKILL has ended it, by `kill` or at a point where it was armed to."""
        return self.process.poll() == -signal.SIGKILL

    def ended(self, seconds: float) -> int:
        """Wait until it ends by itself; returns the exit code, or the signal as a negative number."""
        self.let_go = True
        wait_until(lambda: not self.runs, seconds=seconds, about=f"{self.part} ended")
        return int(self.process.returncode)

    def said(self) -> str:
        """All that it logged."""
        return self.log.read_text(errors="replace")

    def _end(self, number: int) -> None:
        self.let_go = True
        self.process.send_signal(number)
        self.process.wait(timeout=30)

    def _get(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port()}{path}", timeout=2) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as refused:
            with refused:
                return str(refused.read().decode())
        except OSError:
            return ""

    def _port(self) -> int:
        """The port that it chose; 0, where nobody listens, as long as it does not say."""
        found = re.search(r'"(?:http_)?port": (\d+)', self.said())
        return int(found[1]) if found else 0


class Crew:
    """The workers of a test."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self._environment, self._folder = environment, folder
        self._numbers = count(1)
        self.workers: list[Worker] = []

    def start(self, part: str, settings: Mapping[str, str]) -> Worker:
        """Start another one; settings are what belongs into its environment beside the stack's."""
        log = self._folder / f"{part}-{next(self._numbers)}.log"
        worker = Worker(part, {**self._environment, **settings}, log)
        self.workers.append(worker)
        return worker

    def running(self, part: str) -> list[Worker]:
        """Those of one kind that have not ended, in the order of their starts."""
        return [worker for worker in self.workers if worker.part == part and worker.runs]

    def any(self, part: str) -> Worker:
        """The one of a kind that has run for the longest time."""
        return self.running(part)[0]

    @property
    def kills(self) -> int:
        """How many SIGKILL has ended."""
        return sum(worker.was_killed for worker in self.workers)

    def fallen(self) -> list[str]:
        """What those said that ended though nobody told them to."""
        return [
            f"{worker.part} ended with {worker.process.returncode}:\n{worker.said()[-3000:]}"
            for worker in self.workers
            if not worker.let_go and not worker.runs
        ]

    def dismiss(self) -> None:
        """Stop all, side by side, so that the next one's groups begin with nobody in them."""
        running = [worker for worker in self.workers if worker.runs]
        for worker in running:
            worker.process.terminate()
            worker.go_on()
        for worker in running:
            try:
                worker.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                worker.kill()


@contextmanager
def crew(environment: Mapping[str, str], folder: Path) -> Iterator[Crew]:
    """Workers for as long as the block runs."""
    workers = Crew(environment, folder)
    try:
        yield workers
    finally:
        workers.dismiss()


def until(moment: float) -> None:
    """Let the broker's time pass; its clock is this machine's."""
    time.sleep(max(0.0, moment - time.time()))
