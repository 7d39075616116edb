"""How far an import is: a bar on a terminal, now and then a line elsewhere."""

import sys
import time
from types import TracebackType
from typing import Any, Self

import click

from audit_producers.history.dump import Dump

_LINE_SECONDS = 10.0
_BAR_SECONDS = 0.2


class Progress:
    """Shown on standard error.

    Args:
        dump: what is read; the share is that of its bytes, compressed or not.
    """

    def __init__(self, dump: Dump) -> None:
        self._dump = dump
        self._began = self._shown = time.monotonic()
        self._first: int | None = None
        self._has_bar = sys.stderr.isatty() and dump.size > 0
        self._told = ""
        self._bar: Any = click.progressbar(
            length=dump.size,
            label="importing",
            file=sys.stderr,
            item_show_func=lambda _: self._told,
            hidden=not self._has_bar,
        )

    def show(self, records: int) -> None:
        """Say how many records are done, if it is time to."""
        now = time.monotonic()
        if self._first is None:
            self._first = records
        if now - self._shown < (_BAR_SECONDS if self._has_bar else _LINE_SECONDS):
            return
        self._shown = now
        rate = (records - self._first) / max(now - self._began, 0.001)
        self._told = f"{records:,} records, {rate:,.0f}/s"
        if self._has_bar:
            self._bar.update(self._dump.bytes_read.count - self._bar.pos)
        else:
            share = f"{self._dump.bytes_read.count / self._dump.size:.0%}, " if self._dump.size else ""
            click.echo(f"{share}{self._told}", err=True)

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.__exit__(kind, error, trace)
