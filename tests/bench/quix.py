"""Quix Streams in an environment of its own, since it pins other versions of what we use."""

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_VENV = _ROOT / "out" / "quix"
ENVIRONMENT = {"PYTHONPATH": os.pathsep.join([str(_ROOT / "schemas"), str(_ROOT / "stream_processors")])}


def python() -> Path:
    """The interpreter of that environment, made when missing."""
    interpreter = _VENV / "bin" / "python"
    lock = Path(__file__).with_name("quix.lock")
    if not interpreter.exists():
        uv = str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(_VENV)], check=True)
        subprocess.run(
            [uv, "pip", "sync", "--quiet", "--python", str(interpreter), "--require-hashes", str(lock)],
            check=True,
        )
    return interpreter
