"""The command `audit` of this environment, and the kinds of callables that fixtures make of it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

AUDIT = str(Path(sys.executable).with_name("audit"))

Audit = Callable[..., subprocess.CompletedProcess[str]]
"""Runs an `audit` command."""
Rows = Callable[[str], list[dict[str, Any]]]
"""Asks ClickHouse, until there are rows."""
