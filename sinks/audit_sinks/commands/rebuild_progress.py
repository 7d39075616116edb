"""What a person sees while `audit rebuild` works: each step with its rate, and why it waits."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from audit_sinks.rebuilding.rebuild import Rebuild

_COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TextColumn("{task.fields[rate]}"),
    TimeRemainingColumn(),
)


@contextmanager
def watched(job: Rebuild, *, show: bool) -> Iterator[Rebuild]:
    """The same rebuild, followed on the terminal's standard error until the block ends."""
    tasks: dict[str, TaskID] = {}
    waiting = False
    with Progress(*_COLUMNS, console=Console(stderr=True), disable=not show) as progress:

        def watch(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=total, rate="")
            speed = progress.tasks[tasks[step]].speed
            rate = f"{speed:,.0f}/s" if speed else ""
            progress.update(tasks[step], completed=done, total=total, rate=rate)

        def waits(reason: str | None) -> None:
            nonlocal waiting
            if reason and not waiting:
                progress.console.print(f"waiting: {escape(reason)}", soft_wrap=True)
            waiting = bool(reason)

        yield replace(job, watch=watch, waits=waits)
