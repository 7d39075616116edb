"""The file beside an input that keeps what could not be read, made with the first of it."""

import os
from pathlib import Path
from typing import BinaryIO


class RejectedLines:
    """A file of lines.

    Args:
        path: where it is made; without it nothing is kept.
        size: how many bytes of a file that is there are kept; it goes on behind them.
    """

    def __init__(self, path: Path | None, size: int = 0) -> None:
        self.path = path
        self.size = size
        self._file: BinaryIO | None = None
        if path is not None and size and path.exists():
            self._file = path.open("r+b")
            self.size = min(size, path.stat().st_size)
            self._file.truncate(self.size)
            self._file.seek(self.size)

    def keep(self, line: bytes) -> None:
        """Append a line."""
        if self.path is None:
            return
        if self._file is None:
            self._file = self.path.open("wb")
        self._file.write(line + b"\n")
        self.size += len(line) + 1

    def flush(self) -> None:
        """Write what is kept so far, so that it outlives the process."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> Path | None:
        """Returns the file's path, or None where there is none."""
        if self._file is None:
            return None
        self._file.close()
        return self.path


def is_same_file(file: BinaryIO, path: Path) -> bool:
    """Whether a path is that of an open file."""
    return path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat())
