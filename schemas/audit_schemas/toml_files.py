"""TOML that a person writes: each fault is told with file, line and key."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ValidationError

from audit_schemas.errors import Misconfigured
from audit_schemas.toml_lines import line_of

Model = TypeVar("Model", bound=BaseModel)
Fault = tuple[tuple[str | int, ...], str]
"""The path of a key, and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A file that is TOML; what it says may still be wrong."""

    name: str
    """As it is shown."""
    text: str
    remedy: str
    """What helps whoever has a fault in it."""
    document: dict[str, Any]

    @classmethod
    def of(cls, content: bytes, name: str, remedy: str) -> Self:
        """Parse a file's content.

        Raises:
            Misconfigured: it is no UTF-8 or no TOML, with the line.
        """
        try:
            text = content.decode()
            return cls(name, text, remedy, tomllib.loads(text))
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise Misconfigured(f"{name}:{line}: is no UTF-8", remedy=remedy) from None
        except tomllib.TOMLDecodeError as error:
            found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)", str(error))
            line = int(found[1]) if found and found[1] else text.rstrip().count("\n") + 1
            reason = str(error)[: found.start()] if found else str(error)
            raise Misconfigured(f"{name}:{line}: {reason}", remedy=remedy) from None

    @classmethod
    def read(cls, path: Path, remedy: str) -> Self:
        """Read a file; raises as `of` does, and where it cannot be read."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Misconfigured(f"{path}: {error.strerror}", remedy=remedy) from None
        return cls.of(content, str(path), remedy)

    def wrong(self, faults: Iterable[Fault]) -> Misconfigured:
        """The error that names each fault's file, line and key."""
        lines = [
            f"{self.name}:{line_of(self.text, path)}: {'.'.join(map(str, path)) or 'the file'}: {reason}"
            for path, reason in faults
        ]
        return Misconfigured("\n".join(lines), remedy=self.remedy)

    def read_as(self, model: type[Model]) -> Model:
        """What the file says, as a model.

        Raises:
            Misconfigured: naming all that is wrong.
        """
        try:
            return model.model_validate(self.document)
        except ValidationError as error:
            raise self.wrong(faults(error)) from None


def faults(error: ValidationError) -> list[Fault]:
    """What pydantic has found, in the words of files."""
    return [
        (tuple(part for part in fault["loc"] if part != "[key]"), _reason(fault["type"], fault["msg"]))
        for fault in error.errors(include_url=False, include_input=False)
    ]


def _reason(kind: str, message: str) -> str:
    return {"extra_forbidden": "unknown key", "missing": "is missing"}.get(
        kind, message.removeprefix("Value error, ")
    )
