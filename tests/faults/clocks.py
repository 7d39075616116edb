"""Wrong clocks for a process: its own idea of the time of day, while everybody else keeps theirs."""

import shutil
import subprocess
from pathlib import Path

_COMPILER = shutil.which("cc")
_SOURCE = Path(__file__).with_name("wrong_clock.c")
MISSING = None if _COMPILER else "a wrong clock needs a C compiler; on Debian: apt-get install gcc"
"""Why clocks cannot be wrong here, or nothing."""


class Clock:
    """A clock that is so many seconds ahead, or behind where they are negative; it can jump."""

    def __init__(self, folder: Path, seconds: int) -> None:
        """Keep what it shows in a folder, where its processes look again and again."""
        self._file, self._library = folder / "clock", folder / "wrong_clock.so"
        self.set(seconds)
        command = [str(_COMPILER), "-shared", "-fPIC", "-O2", "-o", str(self._library), str(_SOURCE), "-ldl"]
        subprocess.run(command, check=True)

    def set(self, seconds: int) -> None:
        """Jump, at once and in all processes."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds}\n")
        new.replace(self._file)  # never half a number

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to go by this clock."""
        return {"LD_PRELOAD": str(self._library), "WRONG_CLOCK": str(self._file)}
