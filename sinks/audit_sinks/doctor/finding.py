"""What one check says: how bad it is, in one sentence, and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Self


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """Nothing is lost by it today."""
    BROKEN = "broken"
    """A guarantee does not hold, or something is lost already."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    check: str
    level: Level
    text: str
    remedy: str = ""

    @classmethod
    def ok(cls, check: str, text: str) -> Self:
        """As it must be."""
        return cls(check, Level.OK, text)

    @classmethod
    def warning(cls, check: str, text: str, remedy: str) -> Self:
        """To be known."""
        return cls(check, Level.WARNING, text, remedy)

    @classmethod
    def broken(cls, check: str, text: str, remedy: str) -> Self:
        """To be mended."""
        return cls(check, Level.BROKEN, text, remedy)

    @classmethod
    def broken_if(cls, check: str, wrong: Sequence[str], *, remedy: str, otherwise: str) -> Self:
        """Broken where something is wrong, naming all of it."""
        return cls.broken(check, "; ".join(wrong), remedy) if wrong else cls.ok(check, otherwise)


def duration(span: timedelta) -> str:
    """A span in its two largest units, cut and not rounded: `5 d 3 h`."""
    rest = int(span.total_seconds())
    parts = []
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, seconds)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"
