"""Each contact change is shown once, in the window in which the broker first received it, come what may."""

import os

import pytest

from .attacks import ATTACKS, EVERYDAY
from .rig import Rig, again, survived

SEEDS = range(int(os.environ.get("AUDIT_SEEDS", "2")))


@pytest.mark.parametrize("name", EVERYDAY)
def test_each_change_is_once_in_its_window_though(rig: Rig, name: str) -> None:
    found = survived(rig, ATTACKS[name].disturb)
    assert ATTACKS[name].hit(found, rig.length), "the attack came at a moment when it proves nothing"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("round_", SEEDS)
@pytest.mark.parametrize("name", ATTACKS)
def test_each_change_is_once_in_its_window_though_again_and_again(
    rig: Rig, seed: int, name: str, round_: int
) -> None:
    print(f"AUDIT_SEED={seed + round_} AUDIT_SEEDS=1")
    longer = again(rig, seed + round_)
    found = survived(longer, ATTACKS[name].disturb)
    assert ATTACKS[name].hit(found, rig.length), "the attack came at moments when it proves nothing"
