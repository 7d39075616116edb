"""Starts a worker and stops it: checks, monitor, Faust's worker. What it does is a `Work`."""

import asyncio
import gc
import logging
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import Any, NoReturn, TypeVar, cast

import faust
import structlog

from audit_schemas import kill_points, logs, metrics
from audit_schemas.errors import Misconfigured, Unreachable
from audit_schemas.health import Health
from audit_schemas.monitoring import Monitor
from audit_schemas.topics import TOPICS
from audit_stream_processors.app import Input, app_of
from audit_stream_processors.delivery import Delivery
from audit_stream_processors.kafka import admin_client
from audit_stream_processors.kafka_watch import KafkaWatch
from audit_stream_processors.notes import Notes
from audit_stream_processors.refusal import Clock, Send
from audit_stream_processors.settings import WorkerSettings
from audit_stream_processors.topics_admin import Found, describe, shared_partitions
from audit_stream_processors.transport import Run, Transport

T = TypeVar("T")

Process = Callable[[Run, int], int]
"""Processes a run; from the number of records refused in a row before it to that after it."""

_log = structlog.get_logger(__name__)

RETRY = 1.0
"""Seconds to wait for an answer at the start, and between two attempts."""
_LANES = 2
"""While one waits for Kafka's answer, the other one works; more would only wait for the interpreter."""
_BEAT = 1.0
"""Seconds between two heartbeats."""


def _nothing(*_: object) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Work:
    """What one kind of worker does."""

    source: Input
    process: Callable[[Send, Clock], Process]
    """Makes a lane's function from what sends its records."""
    begin: Callable[[], object] = _nothing
    """Called before the first run, in no event loop."""
    observe: Callable[[Transport], object] = _nothing
    """Called once a second in the event loop."""
    stop: Callable[[], object] = _nothing
    """Called when the worker is to stop, perhaps twice; must not block."""


Prepare = Callable[[Health, dict[str, Found]], Work]
"""Makes ready what the work needs; may block while Kafka does not answer, and reports that."""


def run(part: str, settings: WorkerSettings, prepare: Prepare) -> NoReturn:
    """Work until SIGTERM or Ctrl-C.

    Args:
        part: the worker's name in its metrics.
        settings: the worker's.
        prepare: given the health to report to, and the topics as they were found.

    Raises:
        Misconfigured: the port is taken, or the topics are not as they must be.
    """
    logs.configure()
    kill_points.arm(settings.kill_point)
    for talkative in ("faust", "mode"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    metrics.BUILD.info({"part": part, "version": version("auditlane-stream-processors")})
    health = Health({"start": "starting"})
    monitor = Monitor(settings.http_port, alive=health.alive, ready=health.ready)
    _log.info("monitor listens", port=monitor.port)
    try:
        with _leaving_on_sigterm():
            admin = admin_client(settings.kafka)
            found = waiting(lambda: describe(admin, timeout=RETRY), health)
            check_topics(found)
            work = prepare(health, found)
        topic_ids = {name: topic.id for name, topic in found.items()}
        KafkaWatch(admin, health, topic_ids)
        _run(part, settings, work, health, topic_ids)
    finally:
        monitor.close()


def check_topics(found: dict[str, Found]) -> None:
    """Refuse to work on topics that would lose or misplace records.

    Raises:
        Misconfigured: with what to do about it.
    """
    remedy = "run: audit topics apply"
    if missing := [name for name in TOPICS if name not in found]:
        raise Misconfigured(f"topics are missing: {', '.join(missing)}", remedy=remedy)
    shared_partitions(found)
    setting = "message.timestamp.type"
    if wrong := [name for name in TOPICS if found[name].config.get(setting) != "LogAppendTime"]:
        raise Misconfigured(f"{setting} must be LogAppendTime: {', '.join(wrong)}", remedy=remedy)


def waiting(attempt: Callable[[], T], health: Health) -> T:
    """Try until Kafka answers."""
    while True:
        try:
            result = attempt()
        except Unreachable as error:
            health.report("kafka", error.message)
            health.beat()
            time.sleep(RETRY)
        else:
            health.report("kafka", None)
            return result


@contextmanager
def _leaving_on_sigterm() -> Iterator[None]:
    """Until Faust takes over, SIGTERM and Ctrl-C just end the process: there is nothing in hand."""

    def leave(_signal: int, _frame: object) -> None:
        sys.exit(0)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(
    part: str, settings: WorkerSettings, work: Work, health: Health, topic_ids: Mapping[str, str]
) -> NoReturn:
    lanes = [_Lane(part, settings.kafka, work, health, number) for number in range(_LANES)]
    with tempfile.TemporaryDirectory(prefix=f"audit-{part}-") as folder:
        app = app_of(part, work.source, settings, lanes, datadir=folder)
        cast("Transport", app.transport).notes = Notes(work.source.group, topic_ids)
        _report_life(app, work, health)
        _calm_garbage_collection()
        work.begin()
        try:
            _Worker(app, lanes, work, health).execute_from_commandline()
        finally:
            work.stop()


class _Lane:
    """A producer of its own, and the processing that sends to it."""

    def __init__(self, part: str, servers: str, work: Work, health: Health, number: int) -> None:
        delivery = Delivery(servers, report=partial(health.report, f"delivery {number}"))
        send = kill_points.at(f"{part}.sending", delivery.send)
        self.process = work.process(send, lambda: datetime.now(UTC))
        self.finish = delivery.finish
        self.stop = delivery.stop


class _Worker(faust.Worker):
    """Faust's worker without its own logging, spinner and greeting."""

    def __init__(self, app: faust.App, lanes: Sequence[_Lane], work: Work, health: Health) -> None:
        super().__init__(
            app, loop=asyncio.new_event_loop(), override_logging=False, redirect_stdouts=False, quiet=True
        )
        self.spinner = None
        self._lanes = lanes
        self._work = work
        self._health = health

    async def stop(self) -> None:
        """Finish the run in hand, commit and leave; not without end while Kafka is away."""
        self._health.report("stop", "stopping")
        self._work.stop()
        for lane in self._lanes:
            lane.stop()
        await super().stop()


def _report_life(app: faust.App, work: Work, health: Health) -> None:
    async def beat() -> None:
        health.beat()
        work.observe(cast("Transport", app.transport))

    async def assigned(_: Any, *partitions: Any, **_more: Any) -> None:
        numbers = sorted(tp.partition for tps in partitions for tp in tps)
        _log.info("partitions assigned", partitions=numbers)
        health.report("start", None)

    app.timer(_BEAT)(beat)
    app.on_partitions_assigned.connect(cast("Any", assigned))


def _calm_garbage_collection() -> None:
    """What was loaded by now stays; events and their parts hold no cycles (Structs without gc)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
