"""The length of the windows may change between two starts: each change is in one window all the same."""

from collections.abc import Callable
from dataclasses import replace

from .cases import case
from .judge import Found
from .rig import Rig


def both_used(lengths: tuple[int, int]) -> Callable[[Found, int], bool]:
    """Whether there are windows of both lengths."""

    def hit(found: Found, _length: int) -> bool:
        return {batch.span.end - batch.span.start for batch in found.batches if batch.span} == set(lengths)

    return hit


def change_the_length(rig: Rig, before: int, after: int) -> None:
    """In the middle of a window, so that it overlaps with the next one."""
    old = replace(rig, length=before)
    windows, processor = rig.windows(), old.processor()
    windows.until_ready()
    processor.until_ready()
    old.near_boundary(0.5, 1.0)
    processor.stop()
    replace(rig, length=after).processor().until_ready()


@case(
    "windows become shorter",
    own=("processor", "windows"),
    lengths=(8, 2),
    hit=both_used((8, 2)),
)
def _(rig: Rig) -> None:
    change_the_length(rig, before=8, after=2)


@case("windows become longer", own=("processor", "windows"), lengths=(2, 5), hit=both_used((2, 5)))
def _(rig: Rig) -> None:
    change_the_length(rig, before=2, after=5)
