"""Runs one command in the foreground, beside whatever we keep running for it, as a shell would."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from audit_deploy.errors import StackError
from audit_deploy.tether import TETHER


class CommandMissing(StackError):
    """There is no such command; 127, as in a shell."""

    exit_code = 127


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """This process's environment and more; the programs of this installation are on its path."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, **more}


def find(command: Sequence[str]) -> list[str]:
    """The command with the full path of its program.

    Raises:
        CommandMissing: it is nowhere on the path.
    """
    program = shutil.which(command[0], path=environment({})["PATH"])
    if program is None:
        raise CommandMissing(f"command not found: {command[0]}")
    return [program, *command[1:]]


def run(command: Sequence[str], more: Mapping[str, str]) -> int:
    """Run it to its end. Ctrl-C and SIGTERM are its to handle; it ends when we are killed.

    Args:
        command: as `find` gives it.
        more: what it needs in its environment beside ours.

    Returns:
        Its exit code, or 128 + the number of the signal that ended it.
    """
    with subprocess.Popen([*TETHER, *command], env=environment(more)) as process:

        def forward(number: int, _: FrameType | None) -> None:
            process.send_signal(number)

        # A terminal sends Ctrl-C to both of us; ours would end the wait before the command has ended.
        with _handling(signal.SIGINT, signal.SIG_IGN), _handling(signal.SIGTERM, forward):
            code = process.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def ending_on_sigterm() -> Iterator[None]:
    """Make SIGTERM an orderly end: everything that is open is closed."""

    def end(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    with _handling(signal.SIGTERM, end), _handling(signal.SIGHUP, end):
        yield


@contextmanager
def _handling(number: signal.Signals, handler: object) -> Iterator[None]:
    before = signal.signal(number, handler)  # type: ignore[arg-type]
    try:
        yield
    finally:
        signal.signal(number, before)
