"""Options that take a length of time."""

import re
from datetime import timedelta

import click

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Span(click.ParamType):
    """A number and a unit."""

    name = "span"

    def convert(
        self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read what was typed."""
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"(\d{1,6})([smhd])", value)
        if not match:
            self.fail(f"{value!r} is not a number and a unit, as in 30s, 5m, 2h or 1d", param, ctx)
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
