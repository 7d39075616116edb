"""What a person sees while a command takes longer than a moment."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.status import Status

_MOMENT = 0.7
"""Seconds before anything is shown."""


@contextmanager
def patience() -> Iterator[Callable[[str], None]]:
    """Show on the terminal's standard error what is told, until the block ends; nothing is left of it."""
    status = Status("", console=Console(stderr=True))
    timer = threading.Timer(_MOMENT, status.start)
    timer.daemon = True
    timer.start()
    try:
        yield lambda text: status.update(escape(text))
    finally:
        timer.cancel()
        timer.join()
        status.stop()
