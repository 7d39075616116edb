"""Which window a record belongs to, and how it says so: written once, when the record is enriched."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from audit_schemas.mark import TICK

HEADER = "window"
"""The stamp, where a reader finds it without parsing the event: b"START-END"."""

Headers = Iterable[tuple[str, bytes | None]]

LONGEST = 86_400
"""The longest window, seconds: audit.contact-changes must keep its changes until it is over."""
_STAMP = re.compile(rb"(\d{1,10})-(\d{1,10})")


class Window(NamedTuple):
    """A span of the broker's time, seconds since the epoch; the end is not part of it."""

    start: int
    end: int


UNKNOWN = Window(0, 0)
"""Of a record that tells no window: before all others, so that the next record sets it free."""


def window_at(seconds: float, length: int) -> Window:
    """The window of a moment: windows begin at the multiples of their length since the epoch."""
    start = int(seconds) // length * length
    return Window(start, start + length)


def stamped(window: Window, headers: Headers = ()) -> list[tuple[str, bytes | None]]:
    """Headers with a window; what a producer may have called by the names of ours is left out."""
    kept = [header for header in headers if header[0] not in (HEADER, TICK)]
    return [*kept, (HEADER, b"%d-%d" % window)]


def stamp_of(headers: Headers, appended_ms: int) -> Window:
    """The window that a record of audit.contact-changes carries.

    Args:
        headers: the record's.
        appended_ms: its append time. A stamp of a day later, or of a longer window, would keep the
            partition closed for so long: it counts as none.
    """
    for name, value in headers:
        if name == HEADER and (found := _STAMP.fullmatch(value or b"")):
            window = Window(int(found[1]), int(found[2]))
            if window.start <= appended_ms // 1000 + LONGEST and 0 < window.end - window.start <= LONGEST:
                return window
    return UNKNOWN


def is_tick(value: bytes | None, headers: Headers) -> bool:
    """Whether a record is a tick: nothing but its place in the log."""
    return not value and any(name == TICK for name, _ in headers)
