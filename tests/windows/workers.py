"""Workers as processes of their own: started by their commands, asked over HTTP, stopped or killed."""

import json
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
        wait_until(lambda: self._get("/readyz") == "ok\n", seconds=30, about=f"{self.part} ready")
        return self

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
        assert self.process.returncode == 0, self.log.read_text()

    def kill(self) -> None:
        """SIGKILL: its group waits for it until its session is over."""
        self._end(signal.SIGKILL)

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
        for line in self.log.read_text(errors="replace").splitlines():
            if '"monitor listens"' in line:
                return int(json.loads(line)["port"])
        return 0


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

    def fallen(self) -> list[str]:
        """What those said that ended though nobody told them to."""
        return [
            f"{worker.part} ended with {worker.process.returncode}:\n{worker.log.read_text()[-3000:]}"
            for worker in self.workers
            if not worker.let_go and worker.process.poll() is not None
        ]

    def dismiss(self) -> None:
        """Stop all, side by side, so that the next one's groups begin with nobody in them."""
        running = [worker for worker in self.workers if worker.process.poll() is None]
        for worker in running:
            worker.process.terminate()
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
