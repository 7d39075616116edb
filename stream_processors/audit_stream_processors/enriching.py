"""The enriching worker: audit.changes to audit.events, stamped and ticking."""

from datetime import timedelta
from functools import partial
from typing import NoReturn

from audit_schemas.catalogue import catalogue
from audit_schemas.health import Health
from audit_schemas.kill_points import at
from audit_schemas.topics import CHANGES, PROCESSOR_GROUP
from audit_stream_processors.app import Input
from audit_stream_processors.directory import Actors, DirectoryReader
from audit_stream_processors.enrichment.enrich import enricher
from audit_stream_processors.enrichment.places import Places
from audit_stream_processors.processing import processor
from audit_stream_processors.refusal import Clock, Send
from audit_stream_processors.settings import ProcessorSettings
from audit_stream_processors.topics_admin import Found
from audit_stream_processors.windows.ticks import Ticker
from audit_stream_processors.worker import RETRY, Process, Work, run, waiting


def run_processor(settings: ProcessorSettings) -> NoReturn:
    """Enrich events until SIGTERM or Ctrl-C.

    Raises:
        Misconfigured: the port is taken, or the topics are not as they must be.
    """
    run("processor", settings, partial(_prepare, settings))


def _prepare(settings: ProcessorSettings, health: Health, found: dict[str, Found]) -> Work:
    window_seconds = int(settings.window.total_seconds())
    actors = Actors()
    reader = DirectoryReader(settings.kafka, actors)
    waiting(reader.start, health)
    _read_directory(reader, health)
    places = Places(settings.places)
    places.start()
    enrich = enricher(
        catalogue(settings.catalogue), actors.complete, window_seconds=window_seconds, locate=places.locate
    )
    partitions = found[CHANGES.name].partitions
    ticker = Ticker(
        settings.kafka,
        partitions,
        length=window_seconds,
        every=settings.tick_seconds,
        report=partial(health.report, "ticks"),
    )

    def process(send: Send, clock: Clock) -> Process:
        enrich_all = processor(
            at("processor.decoded", enrich),
            send,
            clock,
            window_seconds=window_seconds,
            partitions=partitions,
            refusal_limit=settings.processor_refusal_limit,
        )
        return lambda run, refused: enrich_all(run.records, refused)

    def stop() -> None:
        ticker.stop()
        places.stop()
        reader.stop()

    source = Input(group=PROCESSOR_GROUP, topic=CHANGES, run_records=settings.processor_run_records)
    return Work(source=source, process=process, begin=ticker.start, stop=stop)


def _read_directory(reader: DirectoryReader, health: Health) -> None:
    health.report("directory", "reading the directory")
    while not reader.wait(timedelta(seconds=RETRY)):
        health.beat()
    health.report("directory", None)
