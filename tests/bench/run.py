"""`make bench`: everything in one run on one fresh stack; leaves out/bench.json.

The full run takes about nine minutes; --quick measures less of the same, for trying things out. What takes
ten minutes by itself is asked for by name: --backlog 10000000 leaves out/backlog.json, and --log 100000000
reads a log of so many events and leaves out/log.json; it takes some 40 GB in the temporary folder.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import backlog
import latency
import processor
import sink
import window
from reading.measure import measure as measure_reading
from results import Result, show
from workers import AUDIT

from audit_deploy.control import Stack
from audit_deploy.stack import running

_OUT = Path("out")
_START_BOUND_SECONDS = 8.0


def main() -> None:
    """Measure, print, write."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="fewer events, one round")
    arguments.add_argument("--backlog", type=int, metavar="EVENTS", help="only catch up with so many events")
    arguments.add_argument("--log", type=int, metavar="EVENTS", help="only read a log of so many events")
    chosen = arguments.parse_args()
    _OUT.mkdir(exist_ok=True)
    if chosen.backlog:
        _report(_backlog(chosen.backlog), "backlog.json")
    elif chosen.log:
        _report(_log(chosen.log), "log.json")
    else:
        _report(_everything(quick=chosen.quick), "bench.json")


def _everything(*, quick: bool) -> list[Result]:
    events, rounds, seconds = (100_000, 1, 5) if quick else (400_000, 3, 20)
    changes, contacts = (150_000, 15_000) if quick else (1_000_000, 100_000)
    _say("start of the stack")
    results = _start(1 if quick else 3)
    with running(workers=False) as stack:
        environment = {**os.environ, **stack.environment}
        _prepare(environment)
        _say("processor and its peers")
        results += processor.measure(stack.kafka, environment, events=events, rounds=rounds)
        _say("sink and its peers")
        results += sink.measure(stack.kafka, stack.clickhouse, environment, rounds=rounds)
        _say("processor beside a window worker")
        results += window.measure_beside(stack.kafka, environment, events=events, rounds=rounds)
        _say("window worker")
        results += window.measure(
            stack.kafka, environment, changes=changes, contacts=contacts, enriching=_enriching(results)
        )
    with running(workers=False) as stack:
        _say("reading the log")
        results += _reading(stack, events=100_000 if quick else 1_000_000, seconds=0.1 if quick else 0.3)
    with running() as stack:
        _say("publish to query")
        results += latency.measure(stack.kafka, stack.clickhouse, rate=1000, seconds=seconds)
    return results


def _backlog(events: int) -> list[Result]:
    with running(workers=False) as stack:
        environment = {**os.environ, **stack.environment}
        _prepare(environment)
        _say(f"a backlog of {events:,} events; publishing them takes a while")
        return backlog.measure(stack.kafka, stack.clickhouse, environment, events=events)


def _log(events: int) -> list[Result]:
    with running(workers=False) as stack:
        _say(f"reading a log of {events:,} events; filling it takes most of the time")
        return _reading(stack, events=events, seconds=2)


def _reading(stack: Stack, *, events: int, seconds: float) -> list[Result]:
    _prepare({**os.environ, **stack.environment})
    return measure_reading(stack.clickhouse, _OUT, events=events, seconds=seconds)


def _report(results: list[Result], name: str) -> None:
    (_OUT / name).write_text(json.dumps([result.as_json() for result in results], indent=2) + "\n")
    print(f"\n{os.cpu_count()} cores, {_memory_gib():.0f} GiB, Python {platform.python_version()}\n")
    show(results)


def _start(rounds: int) -> list[Result]:
    seconds = []
    for _ in range(rounds):
        began = time.monotonic()
        with running():
            seconds.append(time.monotonic() - began)
    value = sorted(seconds)[len(seconds) // 2]
    return [
        Result(
            name="start of the stack, workers ready", value=value, unit="s", limit_value=_START_BOUND_SECONDS
        )
    ]


def _prepare(environment: dict[str, str]) -> None:
    for command in (["topics", "apply"], ["migrate", "up"]):
        subprocess.run([AUDIT, *command], env=environment, check=True, stdout=subprocess.DEVNULL)


def _enriching(results: list[Result]) -> float:
    """The processor's rate in this run."""
    return next(result.value for result in results if result.name.startswith("processor beside"))


def _memory_gib() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30


def _say(what: str) -> None:
    print(f"measuring: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
