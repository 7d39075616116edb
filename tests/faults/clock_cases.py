"""Wrong clocks: none of them decides anything but the broker's, and that one only when windows close."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from sinking import wait_until

from audit_deploy.programs import KAFKA
from audit_deploy.tether import TETHER

from .cases import case
from .clocks import MISSING, Clock
from .judge import Found
from .rig import Rig, clickhouse_client
from .services import Services, services
from .traffic import Mix
from .workers import PARTS, until

HOUR = 3600
DAY = 24 * HOUR
YEAR = 365 * DAY
ENRICHING = ("processor",)


def with_clock(rig: Rig, clock: Clock) -> Rig:
    """The same, where workers go by a clock from their start on."""
    return replace(rig, settings={**rig.settings, **clock.environment})


def start(rig: Rig) -> None:
    """Start a worker of each kind."""
    for worker in [rig.start(part) for part in PARTS]:
        worker.until_ready()


@case("the workers' clocks jump by hours", own=PARTS, missing=MISSING)
def _(rig: Rig) -> None:
    """Around boundaries, in both directions."""
    clock = Clock(rig.folder, HOUR)
    start(with_clock(rig, clock))
    for _ in range(rig.times):
        for seconds in (-HOUR, rig.choose.randrange(-HOUR, HOUR), 5 * HOUR):
            rig.near_boundary(-0.5, 0.5)
            clock.set(seconds)


@case("the workers' clocks are hours ahead", own=PARTS, missing=MISSING)
def _(rig: Rig) -> None:
    start(with_clock(rig, Clock(rig.folder, 5 * HOUR)))
    rig.pause(2.0 * rig.length, 3.0 * rig.length)


@case("the workers' clocks are hours behind", own=PARTS, missing=MISSING)
def _(rig: Rig) -> None:
    start(with_clock(rig, Clock(rig.folder, -5 * HOUR)))
    rig.pause(2.0 * rig.length, 3.0 * rig.length)


@case("the broker's clock is days ahead of the enriching worker's", own=ENRICHING, missing=MISSING)
def _(rig: Rig) -> None:
    """One of the two must be wrong, so the worker stops; started again by the right clock, it goes on."""
    processor = with_clock(rig, Clock(rig.folder, -48 * HOUR)).processor()
    assert processor.ended(60) == 1
    assert (
        "which is more than a day from now; set the clocks of the brokers and of this machine"
        in processor.said()
    )


@contextmanager
def broker_by(rig: Rig, clock: Clock) -> Iterator[None]:
    """Kafka goes by a clock for as long as the block runs."""
    (program,) = [program for program in rig.stack.programs if program.name == KAFKA]
    rig.stack.stop(KAFKA)
    with (rig.folder / "kafka.log").open("wb") as output:
        process = subprocess.Popen(
            [*TETHER, *program.command],
            env={**os.environ, **clock.environment},
            stdout=output,
            stderr=output,
            cwd=rig.folder,
        )
    try:
        rig.until_back(KAFKA)
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)
        rig.stack.start(KAFKA)
        rig.until_back(KAFKA)


def jumped(found: Found, length: int) -> bool:
    """Whether append times went back by windows within one partition."""
    events = sorted(found.received, key=lambda event: event.source)
    return any(
        before.source.partition == after.source.partition
        and before.appended_ms > after.appended_ms + length * 1000
        for before, after in pairwise(events)
    )


@case("the broker's clock jumps over windows", times=2, hit=jumped, allowed={"shown early"}, missing=MISSING)
def _(rig: Rig) -> None:
    """Ahead and back: each change is in the window of its append time, and comes when that is over.

    By the broker's clock: while that is ahead, ClickHouse stores a change before its window ends.
    """
    clock = Clock(rig.folder, 0)
    with broker_by(rig, clock):
        for _ in range(rig.times):
            rig.pause(1.0, 3.0)
            clock.set(10 * rig.length)
            rig.pause(1.0, 3.0)
            clock.set(0)
        rig.pause(1.0, 3.0)


CLOCKS = {
    "ten years behind": -10 * YEAR,
    "two years behind": -2 * YEAR,
    "hours behind": -5 * HOUR,
    "hours ahead": 5 * HOUR,
    "two days ahead": 2 * DAY,
    "thirty years ahead": 30 * YEAR,
}
IN_RANGE = {"two years behind", "hours behind", "hours ahead"}
"""From October 2019 to a day ahead a service's time is taken as it is."""


@case("services with wrong clocks publish", mix=Mix(rate=100), times=1, missing=MISSING)
def _(rig: Rig) -> None:
    """All of it is stored; a time out of range gives way to that of receipt, and stays readable."""
    with services(rig) as published:
        for name, seconds in CLOCKS.items():
            folder = rig.folder / str(seconds)  # LD_PRELOAD ends at a space
            folder.mkdir()
            published.start(name, count=600, **Clock(folder, seconds).environment)
        for service in published.all:
            service.until_done()
    for name, seconds in CLOCKS.items():
        times = stored_times(rig, published, name, 600)
        if name in IN_RANGE:
            assert all(claimed == "" for _, claimed, _ in times), times[:3]
            off = [occurred - received - timedelta(seconds=seconds) for occurred, _, received in times]
            assert all(abs(one) < timedelta(minutes=5) for one in off), times[:3]
        else:
            assert all(claimed and occurred == received for occurred, claimed, received in times), times[:3]


def stored_times(
    rig: Rig, published: Services, name: str, count: int
) -> list[tuple[datetime, str, datetime]]:
    """When each event of a service happened, what it claimed, and when it was received."""
    query = "SELECT occurred_at, claimed_at, received_at FROM audit_log WHERE account_id = %(account)s"
    found: list[tuple[datetime, str, datetime]] = []

    def are_stored() -> bool:
        with clickhouse_client(rig.stack) as client:
            found[:] = client.execute(query, {"account": published.account + name})
        return len(found) >= count

    wait_until(are_stored, seconds=60, about=f"the events of the service {name}")
    return found


def zone_of_a_short_summer(begin: float, end: float) -> str:
    """A time zone that is an hour ahead between two moments of today, as TZ says it."""
    day = datetime.fromtimestamp(begin, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    seconds = [int(begin - day.timestamp()), int(end - day.timestamp()) + HOUR]
    first, last = (f"{day.timetuple().tm_yday - 1}/{s // HOUR}:{s // 60 % 60}:{s % 60}" for s in seconds)
    return f"WINTER0SUMMER-1,{first},{last}"


def is_summer(zone: str, moment: float) -> bool:
    """Whether a process in a zone takes a moment for one of its summer time."""
    ask = f"import time; print(time.localtime({moment}).tm_isdst)"
    done = subprocess.run([sys.executable, "-c", ask], env={"TZ": zone}, capture_output=True, check=True)
    return done.stdout.strip() == b"1"


@case("summer time begins and ends", own=PARTS, mix=Mix(rate=100), times=1)
def _(rig: Rig) -> None:
    """Where the workers and a service live; windows and times go on as if nothing had been."""
    begin = int(time.time()) + 20
    end = begin + 4 * rig.length
    zone = zone_of_a_short_summer(begin, end)
    assert [is_summer(zone, moment) for moment in (begin - 1, begin, end - 1, end)] == [
        False,
        True,
        True,
        False,
    ]
    start(replace(rig, settings={**rig.settings, "TZ": zone}))
    with services(rig) as published:
        service = published.start(count=1_000_000, TZ=zone)
        until(end + 1)
        service.kill()
    times = stored_times(rig, published, "", 1)
    assert all(abs(occurred - received) < timedelta(minutes=5) for occurred, _, received in times)
    assert any(received.timestamp() > end for *_, received in times), "it was killed before summer ended"
