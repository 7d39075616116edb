"""Runs the commands that the demo consists of, each in a process of its own, as a person would."""

import json
import os
import shlex
import subprocess
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from audit_deploy.control import Stack
from audit_deploy.errors import ProgramFailed
from audit_deploy.programs import audit


class Runner:
    """Runs commands beside a stack; whatever fails is a ProgramFailed that says how."""

    def __init__(self, stack: Stack) -> None:
        self._environment = {**os.environ, **stack.environment}
        self._console = Console(highlight=False, soft_wrap=True)

    def json(self, *arguments: str, codes: Sequence[int] = (0,)) -> Any:
        """The JSON that an `audit` command prints."""
        return self.read(audit(*arguments, "--json"), codes)

    def row(self, query: str) -> dict[str, Any]:
        """The one row that a query answers; 64-bit integers are texts."""
        [row] = self.json("sql", query)
        return dict(row)

    def read(self, command: Sequence[str], codes: Sequence[int] = (0,)) -> Any:
        """The JSON that a command prints."""
        return json.loads(self._run(command, codes))

    def quietly(self, *arguments: str) -> None:
        """Run an `audit` command whose output nobody needs."""
        self._run(audit(*arguments), (0,))

    def shown(self, *arguments: str) -> None:
        """Show an `audit` command as a person would type it, and what it prints."""
        self._console.print(Text(f"\n$ {shlex.join(['audit', *arguments])}", "bold"))
        done = subprocess.run(audit(*arguments), env=self._environment, check=False)
        if done.returncode:
            raise ProgramFailed(f"`{shlex.join(['audit', *arguments])}` failed")

    def _run(self, command: Sequence[str], codes: Sequence[int]) -> str:
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode not in codes:
            raise ProgramFailed(f"`{' '.join(command[3:])}` failed:\n{(done.stderr or done.stdout).strip()}")
        return done.stdout
