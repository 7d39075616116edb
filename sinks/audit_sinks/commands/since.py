"""The option `--since` of this part's commands."""

import re
from datetime import UTC, datetime, timedelta

import click

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Since(click.ParamType):
    """A time, or how long ago."""

    name = "time"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read what was typed."""
        if isinstance(value, datetime):
            return value
        if match := re.fullmatch(r"(\d+)([smhdw])", value):
            return datetime.now(UTC) - timedelta(**{_UNITS[match[2]]: int(match[1])})
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is neither 30m, 2h or 7d nor a time like 2026-03-02T09:00Z", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
