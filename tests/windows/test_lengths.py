"""The length of the windows is a setting: it may change between two starts."""

from dataclasses import replace

import pytest

from .rig import Rig, survived


def change_the_length(rig: Rig, before: int, after: int) -> None:
    """In the middle of a window, so that it overlaps with the next one."""
    old = replace(rig, length=before)
    windows, processor = rig.windows(), old.processor()
    windows.until_ready()
    processor.until_ready()
    old.near_boundary(0.5, 1.0)
    processor.stop()
    replace(rig, length=after).processor().until_ready()


@pytest.mark.parametrize(("before", "after"), [pytest.param(2, 5, marks=pytest.mark.slow), (8, 2)])
def test_each_change_is_in_one_window_that_holds_its_time_though_the_length_was_changed(
    rig: Rig, before: int, after: int
) -> None:
    found = survived(rig, lambda rig: change_the_length(rig, before, after), lengths=(before, after))
    assert {batch.span.end - batch.span.start for batch in found.batches if batch.span} == {before, after}
