"""How far an import is: what the next run of the same command goes on from; losing it only costs time."""

import hashlib
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

HEAD = 64 * 1024
"""So many bytes of a dump tell which one it is, together with its size."""


class State(BaseModel):
    """The records that were settled: acknowledged by Kafka, or rejected and kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dump: str
    """Which file, and how it is read."""
    records: int = 0
    imported: int = 0
    rejected: int = 0
    rejected_bytes: int = 0
    """The size of the file of rejected lines."""


def identity(head: bytes, size: int, *reading: str) -> str:
    """What tells two imports apart: the file, its mapping, account and source.

    Args:
        head: the file's first bytes, up to HEAD of them.
        size: the file's size in bytes.
        reading: what else decides which events come of it.
    """
    return hashlib.sha256(
        "\n".join([hashlib.sha256(head).hexdigest(), str(size), *reading]).encode()
    ).hexdigest()


class StateFile:
    """The file that keeps the state; without a path nothing is kept."""

    def __init__(self, path: Path | None, dump: str) -> None:
        self.path = path
        self._fresh = State(dump=dump)

    @property
    def how_to_go_on(self) -> str:
        """What somebody does whose import was ended."""
        if self.path is None:
            return "import it again, which stores nothing twice"
        return "the same command goes on there"

    def read(self, *, from_start: bool = False) -> tuple[State, str]:
        """The state to begin with, and why not with the one in the file where there is one."""
        if self.path is None or from_start or not self.path.exists():
            return self._fresh, ""
        try:
            found = State.model_validate_json(self.path.read_bytes())
        except ValidationError:
            return self._fresh, f"{self.path} is no state of an import"
        if found.dump != self._fresh.dump:
            return self._fresh, f"{self.path} is of another file, mapping, account or source"
        return found, ""

    def write(self, state: State) -> None:
        """Keep a state; a process that dies meanwhile leaves the one before."""
        if self.path is not None:
            new = self.path.with_name(f"{self.path.name}.new")
            new.write_text(state.model_dump_json() + "\n", "utf-8")
            os.replace(new, self.path)  # noqa: PTH105 - Path.replace does the same, and says less

    def remove(self) -> None:
        """All is imported: the next import of the file begins anew."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
