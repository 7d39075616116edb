"""`audit sink`: run the worker that fills ClickHouse."""

import signal
import time
from importlib.metadata import version

import click
import structlog

from audit_schemas import logs, metrics
from audit_schemas.monitoring import Monitor
from audit_sinks.consumer import Sink
from audit_sinks.settings import SinkSettings


@click.group()
def sink() -> None:
    """Store in ClickHouse what the processors made."""


@sink.command()
def run() -> None:
    """Insert every message of the sink's topics, exactly once in effect, until SIGTERM.

    \b
    Servers:  AUDIT_KAFKA, AUDIT_CLICKHOUSE
    Probes:   AUDIT_HTTP_PORT serves /healthz, /readyz and /metrics
    Batches:  AUDIT_SINK_ROWS, AUDIT_SINK_BYTES, AUDIT_SINK_LINGER (seconds)

    \b
    Example: AUDIT_HTTP_PORT=9103 audit sink run
    """
    logs.configure()
    metrics.BUILD.info({"part": "sink", "version": version("auditlane-sinks")})
    settings = SinkSettings.load()
    worker = Sink(settings)
    monitor = Monitor(settings.http_port, alive=worker.health.alive, ready=worker.health.ready)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    log = structlog.get_logger(__name__)
    log.info("started", http_port=monitor.port)
    started = time.monotonic()
    try:
        worker.run()
    finally:
        monitor.close()
        log.info("stopped", seconds=round(time.monotonic() - started, 1))
