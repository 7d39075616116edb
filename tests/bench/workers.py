"""A worker under measurement: started as its command, watched for its memory, stopped with SIGTERM."""

import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

AUDIT = str(Path(sys.executable).with_name("audit"))


class Worker:
    """A running process and the most memory that it has held, in bytes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.peak_memory = 0
        self._watching = True
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        watched = psutil.Process(self.process.pid)
        while self._watching:
            try:
                self.peak_memory = max(self.peak_memory, watched.memory_info().rss)
            except psutil.NoSuchProcess:
                return
            time.sleep(0.1)

    def until_ready(self, port: int, seconds: float = 30) -> None:
        """Wait until it answers so on its port."""
        end = time.monotonic() + seconds
        while not _is_ready(port):
            if time.monotonic() > end:
                raise TimeoutError(f"{self.process.args!r} is not ready after {seconds} s")
            time.sleep(0.02)

    def end(self) -> None:
        """Stop it in order."""
        self._watching = False
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(30)


def _is_ready(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2).close()
    except OSError:
        return False
    return True


@contextmanager
def worker(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Worker]:
    """Run a command for as long as the block lasts, in a folder of its own: peers leave files behind."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started = Worker(process)
        try:
            yield started
        finally:
            started.end()
