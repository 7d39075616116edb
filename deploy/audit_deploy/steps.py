"""Shows the steps of what takes seconds: a spinner on a terminal, a line for each finished step."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.text import Text


class Steps:
    """A context: call `begin` for each step; the one before it is finished then."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        """Write to a console.

        Args:
            console: where.
            quiet: leave no lines behind, show only the spinner.
        """
        self._console = console
        self._quiet = quiet
        self._status = console.status("")
        self._began = self._step_began = time.monotonic()
        self._step = ""

    def begin(self, step: str, live: RenderableType | None = None) -> None:
        """Finish the step in hand and begin the next one.

        Args:
            step: in words; the line that it leaves.
            live: shown in place of the words while the step lasts, drawn anew all the time; off a terminal
                once, as a line.
        """
        self._finish()
        self._step, self._step_began = step, time.monotonic()
        if self._console.is_terminal:
            self._status.update(live or Text(step))
            self._status.start()
        elif live:
            self._console.print(live, highlight=False)

    def done(self) -> None:
        """Finish the last step, and leave the terminal to others."""
        self._finish()
        self._status.stop()

    @property
    def seconds(self) -> float:
        """Since the first step began."""
        return time.monotonic() - self._began

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()
        if kind is None:
            self.done()

    def _finish(self) -> None:
        if self._step and not self._quiet:
            self._console.print(Text(f"  {time.monotonic() - self._step_began:5.1f} s  {self._step}"))
        self._step = ""
