"""The cases: each a function that disturbs the pipeline while events flow, under a name in words.

A file `…_cases.py` of this folder writes one as

    @case("the sink is stopped in mid-run", everyday=True)
    def _(rig: Rig) -> None:
        rig.crew.any("sink").stop()
        rig.sink().until_ready()

and `test_cases.py` runs it: with one worker of each kind that are ready when it begins, and with
traffic. What it leaves dead is started again before the verdict.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from .judge import Found
from .rig import Rig
from .traffic import Mix

Disturb = Callable[[Rig], None]
"""Does its harm; returns when that is done."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way to disturb."""

    name: str
    disturb: Disturb
    everyday: bool = False
    """Whether it is part of the everyday tests too, once; the long form takes all, several times."""
    times: int = 3
    """How often the long form does what it does: `rig.times`. In the everyday form that is 1."""
    rounds: int = 1
    """How often the long form runs it, each time with other choices and other traffic."""
    own: Collection[str] = ()
    """The kinds of workers that it starts itself; the others run from the beginning."""
    mix: Mix = field(default_factory=Mix)
    """What is published meanwhile."""
    lengths: Collection[int] = ()
    """Of the windows that a change may be in, where there are more than one."""
    allowed: Collection[str] = ()
    """What is no fault in it, in the oracle's words."""
    hit: Callable[[Found, int], bool] = lambda _found, _length: True
    """Whether what it is for has happened, by the windows' length: a case that missed proves nothing."""
    spare: bool = False
    """Whether it does to the servers what the cases after it would not stand: they are another stack's."""
    seconds: int = 600
    """The time limit of the long form."""
    missing: str | None = None
    """What this machine lacks for it: it is left out, and says so."""


CASES: dict[str, Case] = {}


def case(name: str, **more: object) -> Callable[[Disturb], Disturb]:
    """Register a function as a case; `more` are the fields of `Case`."""

    def registered(disturb: Disturb) -> Disturb:
        if name in CASES:
            raise ValueError(f"two cases are named {name!r}")
        CASES[name] = Case(name=name, disturb=disturb, **more)  # type: ignore[arg-type]
        return disturb

    return registered
