"""Which of a process's numbers are owed: the rules, on values.

A process numbers its events from 1 as its delivery takes them over. Its records say the newest number and
how many of the events Kafka has acknowledged. What was acknowledged must be stored; what was not may have
gone with the process. In order:

1. Up to a number at which some record says that all were acknowledged, each number is owed. The stop of
   an older producer, which does not say how many, counts as saying so: it waited for all of them.
2. From there to the newest record's number as many may be missing as that record says are not
   acknowledged. Which ones nobody knows; if more are missing, the rest of them is lost.
3. Behind the newest record's number nothing is owed: of a process that lives these are on their way, of one
   that was silent for long they were never acknowledged, and went with it.
4. Where an older producer never says what was acknowledged, and no stop came: each number below one that
   has been stored for a while is owed, and while the process lives what its records say as well.

Only records count that are old enough for all that they speak of to be stored.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from audit_sinks.verification.checking import shown

SILENCE = timedelta(minutes=5)
"""Without a sign of life for so long a process counts as ended: by default a heartbeat comes each minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The newest record of a process that is old enough."""

    kind: str
    sequence: int
    acknowledged: int | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What is known of one publishing process."""

    service: str
    instance: str
    highest: int = 0
    """The largest number that is stored, or in a dead letter."""
    last_seen_at: datetime | None = None
    """The newest receipt of one of its events."""
    told: Told | None = None
    proven: int = 0
    """The largest number at which one of its records says that all were acknowledged."""
    begun_at: datetime | None = None
    """The oldest of its records."""
    life_at: datetime | None = None
    """The newest of its records, however young."""

    def lives(self, now: datetime) -> bool:
        """Whether it gave a sign of life lately, and no stop."""
        signs = [moment for moment in (self.last_seen_at, self.life_at) if moment]
        stopped = self.told is not None and self.told.kind == "stop"
        return not stopped and bool(signs) and now - max(signs) <= SILENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Numbers that are not there."""

    service: str
    instance: str
    first: int
    last: int
    after: datetime | None = None
    """Receipt of the number before it; of number 1, when the process began."""
    before: datetime | None = None
    """Receipt of the number behind it; nothing where none is there."""
    told_at: datetime | None = None
    """When the process told of it, where no number behind it is there."""

    @property
    def count(self) -> int:
        """How many numbers."""
        return self.last - self.first + 1

    @property
    def neighbours(self) -> list[datetime]:
        """The moments between which it was received."""
        return [moment for moment in (self.after, self.before or self.told_at) if moment]

    def __str__(self) -> str:
        """Which numbers, whose, and where they were last seen."""
        numbers = f"number {self.first}" if self.first == self.last else f"numbers {self.first}-{self.last}"
        seen = [f"after {shown(self.after)}"] if self.after else []
        seen += [f"before {shown(self.before)}"] if self.before else []
        seen += [f"told at {shown(self.told_at)}"] if self.told_at else []
        return f"{numbers} of {self.service} {self.instance}: {', '.join(seen) or 'none of it was seen'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """The gaps of one process by what they mean."""

    lost: Sequence[Gap] = ()
    """Each number is owed."""
    some_lost: Sequence[Gap] = ()
    """Of these numbers all but `may_miss` are owed."""
    may_miss: int = 0
    waiting: Sequence[Gap] = ()
    """On their way."""
    gone: Sequence[Gap] = ()
    """Never acknowledged, as far as is known, and went with the process."""


def owed(process: Process, gaps: Sequence[Gap], now: datetime) -> Owed:
    """Judge the gaps of a process.

    Args:
        process: what is known of it.
        gaps: its numbers that are not there, up to the larger of `highest` and what it told.
        now: up to when all that was received is stored.
    """
    told, lives = process.told, process.lives(now)
    speaks = told is not None and told.acknowledged is not None
    if speaks or (told is not None and told.kind == "stop"):
        sure = _sure(process)
        limit = max(sure, told.sequence if told else 0)
        allowance = max(0, told.sequence - (told.acknowledged or 0)) if told and speaks else 0
        settled = list(gaps)
        young: list[Gap] = []
    else:
        sure = max(process.highest, told.sequence if told and lives else 0)
        limit, allowance = sure, 0
        settled = [gap for gap in gaps if gap.before is None or gap.before <= now - SILENCE]
        young = [gap for gap in gaps if gap not in settled]
    rest = list(cut(settled, limit + 1, None))
    return Owed(
        lost=list(cut(settled, 1, sure)),
        some_lost=list(cut(settled, sure + 1, limit)),
        may_miss=allowance,
        waiting=[*young, *(rest if lives else ())],
        gone=[] if lives else rest,
    )


def _sure(process: Process) -> int:
    """Up to which number each one is owed."""
    told = process.told
    if told and told.kind == "stop" and told.acknowledged is None:
        return max(process.proven, told.sequence)
    return process.proven


def cut(gaps: Iterable[Gap], first: int, last: int | None) -> Iterator[Gap]:
    """The part of gaps that lies between two numbers, both included."""
    for gap in gaps:
        begin, end = max(gap.first, first), gap.last if last is None else min(gap.last, last)
        if begin <= end:
            yield replace(gap, first=begin, last=end)


def without(gap: Gap, numbers: Iterable[int]) -> Iterator[Gap]:
    """What is left of a gap when some of its numbers are explained."""
    first = gap.first
    for number in sorted(numbers):
        if first <= number <= gap.last:
            if first < number:
                yield replace(gap, first=first, last=number - 1)
            first = number + 1
    if first <= gap.last:
        yield replace(gap, first=first)
