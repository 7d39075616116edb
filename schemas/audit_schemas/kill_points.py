"""Named points at which a test ends or stops a worker; when none is armed they cost nothing.

A worker is armed where it begins, before it is wired. `at` then gives the call that is made at a point:
the very same one, unless this point is armed.
"""

import os
import re
import signal
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any, NamedTuple, ParamSpec, TypeVar

from audit_schemas.errors import Misconfigured

P = ParamSpec("P")
T = TypeVar("T")

POINTS: Mapping[str, str] = {
    "processor.decoded": "an event is decoded, and not enriched yet",
    "processor.sending": "part of a run was handed to Kafka, the next record was not",
    "processor.delivered": "Kafka has all of a run, which is not acknowledged yet",
    "processor.acknowledged": "a run is acknowledged, and not committed yet",
    "windows.proven": "a window is known to be over, and none of it is delivered yet",
    "windows.part": "parts of a window are batched, the next one is not",
    "windows.sending": "part of the batches was handed to Kafka, the next one was not",
    "windows.delivered": "Kafka has all batches of a part, which is not acknowledged yet",
    "windows.acknowledged": "a part is acknowledged, and not committed yet",
    "sink.journaled": "the journal is committed, nothing is inserted yet",
    "sink.inserting": "one table has its rows of a block, the next one has not",
    "sink.inserted": "a block is inserted, and not acknowledged yet",
    "sink.committing": "all blocks are inserted, the next commit is not made",
}
"""What is true at each point."""

_ARMED = re.compile(r"(?:(kill|stop) )?([a-z.]+)(?:@([1-9]\d*))?")


class _Armed(NamedTuple):
    point: str
    number: int
    signal: signal.Signals
    times: Iterator[int]
    """Counts over all calls of the point, whichever thread makes them."""


_armed: _Armed | None = None


def arm(text: str) -> None:
    """Choose what is to happen in this process.

    Args:
        text: a point, as in `sink.inserted`; `sink.inserted@3` for the third time that it is reached;
            `stop sink.inserted` for SIGSTOP in place of SIGKILL; `none` for nothing.

    Raises:
        Misconfigured: it is no such text.
    """
    global _armed  # noqa: PLW0603 - a process has one end
    if text == "none":
        _armed = None
        return
    found = _ARMED.fullmatch(text)
    if found is None or found[2] not in POINTS:
        raise Misconfigured(f"no kill point: {text!r}", remedy=f"one of {', '.join(POINTS)}, as in NAME@3")
    ending = signal.SIGSTOP if found[1] == "stop" else signal.SIGKILL
    _armed = _Armed(found[2], int(found[3] or 1), ending, count(1))


def at(point: str, call: Callable[P, T]) -> Callable[P, T]:
    """The call to make at a point: before it, where the point is armed, the process gets its signal."""
    if point not in POINTS:
        raise ValueError(f"{point} is no kill point")
    if _armed is None or _armed.point != point:
        return call
    armed = _armed

    def ending(*arguments: P.args, **more: P.kwargs) -> T:
        if next(armed.times) == armed.number:
            os.kill(os.getpid(), armed.signal)
        return call(*arguments, **more)

    return ending


def nothing(*_: Any) -> None:
    """The call at a point where there is none."""
