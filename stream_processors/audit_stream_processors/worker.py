"""Starts the processor and stops it: checks, directory, monitor, Faust's worker."""

import asyncio
import gc
import logging
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from typing import Any, NoReturn, TypeVar, cast

import faust
import structlog
from confluent_kafka.admin import AdminClient

from audit_schemas import logs, metrics
from audit_schemas.catalogue import catalogue
from audit_schemas.errors import Misconfigured, Unreachable
from audit_schemas.health import Health
from audit_schemas.monitoring import Monitor
from audit_schemas.topics import TOPICS
from audit_stream_processors.app import processor_app
from audit_stream_processors.delivery import Delivery
from audit_stream_processors.directory import Actors, DirectoryReader
from audit_stream_processors.enrichment.enrich import Enrich, enricher
from audit_stream_processors.kafka import admin_client
from audit_stream_processors.kafka_watch import KafkaWatch
from audit_stream_processors.processing import processor
from audit_stream_processors.settings import ProcessorSettings
from audit_stream_processors.topics_admin import Found, describe, shared_partitions

T = TypeVar("T")

_log = structlog.get_logger(__name__)

_RETRY = 1.0
"""Seconds to wait for an answer at the start, and between two attempts."""
_LANES = 2
"""While one waits for Kafka's answer, the other one works; more would only wait for the interpreter."""


def run(settings: ProcessorSettings) -> None:
    """Enrich events until SIGTERM or Ctrl-C.

    Raises:
        Misconfigured: the port is taken, or the topics are not as they must be.
    """
    logs.configure()
    for talkative in ("faust", "mode"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    metrics.BUILD.info({"part": "processor", "version": version("auditlane-stream-processors")})
    health = Health({"start": "starting"})
    monitor = Monitor(settings.http_port, alive=health.alive, ready=health.ready)
    _log.info("monitor listens", port=monitor.port)
    with _leaving_on_sigterm():
        admin = admin_client(settings.kafka)
        check_topics(_waiting(lambda: describe(admin, timeout=_RETRY), health))
        actors = Actors()
        reader = DirectoryReader(settings.kafka, actors)
        _waiting(reader.start, health)
        _read_directory(reader, health)
    try:
        _work(settings, health, admin, actors)
    finally:
        reader.stop()
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


def _waiting(attempt: Callable[[], T], health: Health) -> T:
    """Try until Kafka answers."""
    while True:
        try:
            result = attempt()
        except Unreachable as error:
            health.report("kafka", error.message)
            health.beat()
            time.sleep(_RETRY)
        else:
            health.report("kafka", None)
            return result


def _read_directory(reader: DirectoryReader, health: Health) -> None:
    health.report("directory", "reading the directory")
    while not reader.wait(timedelta(seconds=_RETRY)):
        health.beat()
    health.report("directory", None)


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


def _work(settings: ProcessorSettings, health: Health, admin: AdminClient, actors: Actors) -> NoReturn:
    enrich = enricher(catalogue(), actors.complete, window_seconds=int(settings.window.total_seconds()))
    lanes = [_Lane(settings.kafka, enrich, health, number) for number in range(_LANES)]
    KafkaWatch(admin, health)
    with tempfile.TemporaryDirectory(prefix="audit-processor-") as folder:
        app = processor_app(settings, lanes, datadir=folder)
        _report_life(app, health)
        _calm_garbage_collection()
        _Worker(app, lanes, health).execute_from_commandline()


class _Lane:
    """A producer of its own, and the processing that sends to it."""

    def __init__(self, servers: str, enrich: Enrich, health: Health, number: int) -> None:
        delivery = Delivery(servers, report=partial(health.report, f"delivery {number}"))
        self.process = processor(enrich, delivery.send, lambda: datetime.now(UTC))
        self.finish = delivery.finish
        self.stop = delivery.stop


class _Worker(faust.Worker):
    """Faust's worker without its own logging, spinner and greeting."""

    def __init__(self, app: faust.App, lanes: Sequence[_Lane], health: Health) -> None:
        super().__init__(
            app, loop=asyncio.new_event_loop(), override_logging=False, redirect_stdouts=False, quiet=True
        )
        self.spinner = None
        self._lanes = lanes
        self._health = health

    async def stop(self) -> None:
        """Finish the run in hand, commit and leave; not without end while Kafka is away."""
        self._health.report("stop", "stopping")
        for lane in self._lanes:
            lane.stop()
        await super().stop()


def _report_life(app: faust.App, health: Health) -> None:
    async def beat() -> None:
        health.beat()

    async def assigned(_: Any, *partitions: Any, **_more: Any) -> None:
        numbers = sorted(tp.partition for tps in partitions for tp in tps)
        _log.info("partitions assigned", partitions=numbers)
        health.report("start", None)

    app.timer(1.0)(beat)
    app.on_partitions_assigned.connect(cast("Any", assigned))


def _calm_garbage_collection() -> None:
    """What was loaded by now stays; events and their parts hold no cycles (Structs without gc)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
