"""What an attack acts on: workers beside traffic, the broker's boundaries, and the judge of what comes."""

import os
import subprocess
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from command import AUDIT

from audit_deploy.control import Stack

from .judge import Found, Judge
from .oracle import told
from .traffic import Mix, Traffic
from .workers import Crew, Worker, until


@dataclass(frozen=True)
class Rig:
    """One test's."""

    stack: Stack
    crew: Crew
    judge: Judge
    choose: Random
    folder: Path
    length: int = 2
    """Of the windows, seconds."""
    times: int = 1
    """How often an attack does what it does."""
    settings: dict[str, str] = field(default_factory=dict)
    """Of every worker that is started."""

    def processor(self, **more: str) -> Worker:
        """Start an enriching worker."""
        return self.crew.start("processor", {"AUDIT_WINDOW": f"{self.length}s", **self.settings, **more})

    def windows(self, **more: str) -> Worker:
        """Start a worker that closes windows."""
        return self.crew.start("windows", {**self.settings, **more})

    def near_boundary(self, earliest: float, latest: float) -> None:
        """Wait for a moment so many seconds around the next boundary, by the broker's clock."""
        moment = self.choose.uniform(earliest, latest)
        now = time.time() - earliest  # so that the earliest moment is not over yet
        until((now // self.length + 1) * self.length + moment)

    def verify(self) -> "subprocess.CompletedProcess[str]":
        """Ask the operators' own check of the same thing."""
        return subprocess.run(
            [AUDIT, "verify", "--json", "--grace", "0"],
            env={**os.environ, **self.stack.environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


Disturb = Callable[[Rig], None]
"""Starts the workers, does its harm while events flow, and leaves at least one of each kind running."""


def survived(rig: Rig, disturb: Disturb, mix: Mix | None = None, lengths: Collection[int] = ()) -> Found:
    """Publish while something disturbs the workers, and hold that nothing has come of it.

    Args:
        rig: what it acts on.
        disturb: the attack.
        mix: what is published meanwhile.
        lengths: those of the windows that a change may be in, where there are more than one.

    Returns:
        What lies in Kafka and in ClickHouse, to prove that the attack has hit.
    """
    with Traffic(rig.stack.kafka, rig.choose, mix or Mix()) as traffic:
        disturb(rig)
    try:
        found = rig.judge.found(traffic.account)
    finally:
        assert rig.crew.fallen() == [], "\n".join(rig.crew.fallen())
    faults = found.faults(traffic.ids, lengths or [rig.length])
    assert faults == {}, told(faults)
    assert found.ticks > 0, "no tick was ever written"
    verified = rig.verify()
    assert verified.returncode == 0, verified.stdout + verified.stderr
    return found


def again(rig: Rig, seed: int) -> Rig:
    """The same with other choices, and longer."""
    return replace(rig, choose=Random(seed), times=3)
