"""Runs a case and holds that nothing has come of it; whatever becomes of it is a row of the report."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from sinking import wait_until

from .cases import Case
from .judge import Found
from .oracle import Faults, told
from .report import Row, counted
from .rig import Rig
from .traffic import Traffic
from .workers import PARTS

_PATIENCE = 120.0
"""Seconds until a tick is stored: there is one every few seconds."""


def survived(rig: Rig, case: Case) -> Found:
    """Publish while a case disturbs the pipeline, and compare what was acknowledged with what is stored.

    Args:
        rig: what it acts on.
        case: the case.

    Returns:
        What lies in Kafka and in ClickHouse.
    """
    with in_report(rig) as row:
        with Traffic(rig.stack.kafka, rig.choose, case.mix) as traffic:
            rig = replace(rig, traffic=traffic)
            standing = [rig.start(part) for part in PARTS if part not in case.own]
            for worker in standing:
                worker.until_ready()
            case.disturb(rig)
            rig.complete()
        row.events = traffic.acknowledged
        found = judged(rig, row, traffic, case)
        assert case.hit(found, rig.length), "the case came at a moment when it proves nothing"
    return found


def judged(rig: Rig, row: Row, traffic: Traffic, case: Case | None = None) -> Found:
    """Wait for the end of what was published, and hold that all of it is as it must be."""
    try:
        found = rig.judge.found(traffic)
    finally:
        assert rig.crew.fallen() == [], "\n".join(rig.crew.fallen())
    faults = found.faults(traffic, (case and case.lengths) or [rig.length])
    faults |= _verified(rig, found)
    faults = {what: where for what, where in faults.items() if not case or what not in case.allowed}
    row.counts = counted(faults)
    assert faults == {}, told(faults)
    assert found.ticks > 0, "no tick was ever written"
    return found


def _verified(rig: Rig, found: Found) -> Faults:
    """What the operators' own check has to say against it."""
    done = verified(rig, found)
    return {} if done.returncode == 0 else {"audit verify": [done.stdout + done.stderr]}


def verified(rig: Rig, found: Found) -> "subprocess.CompletedProcess[str]":
    """Ask the operators' own check, once a tick behind the last event is stored."""
    until = found.last_appended + timedelta(milliseconds=1)
    wait_until(
        lambda: rig.judge.complete_through() >= until, seconds=_PATIENCE, about=f"a tick behind {until}"
    )
    return rig.verify(found.first_appended, until)


@contextmanager
def in_report(rig: Rig) -> Iterator[Row]:
    """The row of one run; a case that cannot be carried through fails in the report too."""
    row = Row(rig.name, runs=1, repeat=rig.repeat)
    try:
        yield row
    except BaseException as error:
        if not any(row.counts.values()):
            row.failures.append((str(error) or repr(error)).splitlines()[0])
        raise
    finally:
        row.kills = rig.kills
        row.recoveries = rig.tally.recoveries
        rig.report.add(row)
