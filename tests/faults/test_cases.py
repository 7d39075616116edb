"""Nothing is lost, doubled, out of order or in a wrong window, whatever is done to the pipeline."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from .cases import CASES, Case
from .rig import Rig
from .verdict import survived

for file in sorted(Path(__file__).parent.glob("*_cases.py")):
    if file.stem != Path(__file__).stem:
        import_module(f".{file.stem}", __package__)


def params(*, everyday: bool) -> list[object]:
    """The cases of one form, each with its time limit."""
    return [
        pytest.param(case, round_, id=f"{case.name}-{round_}", marks=_marks(case))
        for case in CASES.values()
        if case.everyday or not everyday
        for round_ in range(1 if everyday else case.rounds)
    ]


def _marks(case: Case) -> list[pytest.MarkDecorator]:
    return [
        pytest.mark.timeout(case.seconds),
        pytest.mark.skipif(case.missing is not None, reason=str(case.missing)),
    ]


@pytest.mark.parametrize(("case", "round_"), params(everyday=True))
def test_nothing_comes_of_it_that(rig: Rig, case: Case, round_: int) -> None:  # noqa: ARG001 - of the seed
    survived(rig, case)


@pytest.mark.slow
@pytest.mark.parametrize(("case", "round_"), params(everyday=False))
def test_nothing_comes_of_it_again_and_again_that(rig: Rig, case: Case, round_: int) -> None:  # noqa: ARG001 - of the seed
    survived(replace(rig, times=case.times), case)
