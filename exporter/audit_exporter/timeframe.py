"""Times as people write them: 7d, 24h, today, a date, RFC 3339; read in the viewer's zone."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from audit_schemas.errors import Invalid

_AGO = re.compile(r"(\d{1,9})([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)
_YEARS = range(1970, 2300)
"""What ClickHouse's DateTime64 can hold with microseconds."""


@dataclass(frozen=True, slots=True)
class Timeframe:
    """A half-open interval: `since` belongs to it, `until` does not; None is unbounded."""

    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def read(cls, since: str | None, until: str | None, *, now: datetime, zone: ZoneInfo) -> "Timeframe":
        """Read both ends.

        Raises:
            Invalid: when one cannot be read, or when it would end before it begins.
        """
        begin = None if since is None else read_moment(since, now=now, zone=zone)
        end = None if until is None else read_moment(until, now=now, zone=zone)
        if begin is not None and end is not None and begin >= end:
            raise Invalid(f"--since {since!r} is not before --until {until!r}", remedy="swap them")
        return cls(begin, end)


def read_moment(text: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    """Read one moment; the result is in UTC.

    `7d` and the like count back from `now` (a day is 24 hours); `today`, a date and a month stand
    for their first instant in `zone`; a time without an offset is local to `zone`.

    Raises:
        Invalid: when it cannot be read.
    """
    try:
        moment = _moment(text.strip(), now, zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(
            f"{text!r} is no time",
            remedy="write 7d, 24h, today, yesterday, 2026-11-23, '2026-11-23 14:30' or 2026-11-23T14:30:00Z",
        ) from None
    if moment.year not in _YEARS:
        raise Invalid(f"{text!r} lies outside the years {_YEARS.start} to {_YEARS.stop - 1}")
    return moment


def _moment(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    word = text.lower()
    if word == "now":
        return now
    if ago := _AGO.fullmatch(word):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    if word in _DAYS:
        day = now.astimezone(zone).date() + timedelta(days=_DAYS[word])
        return datetime.combine(day, time(), zone)
    moment = datetime.fromisoformat(f"{text}-01" if _MONTH.fullmatch(text) else text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
