"""`audit sink`: run the worker that fills ClickHouse."""

import signal
import time
from importlib.metadata import version

import click
import structlog

from audit_schemas import kill_points, logs, metrics
from audit_schemas.monitoring import Monitor
from audit_sinks import watchdog
from audit_sinks.consumer import Sink
from audit_sinks.settings import SinkSettings


@click.group()
def sink() -> None:
    """Store in ClickHouse what the processors made."""


@sink.command()
def run() -> None:
    """Insert every message of the sink's topics, exactly once in effect, until SIGTERM.

    \b
    Variable                    Default   What it is
    AUDIT_KAFKA                 required  bootstrap servers: host:port, ...
    AUDIT_CLICKHOUSE            required  clickhouse://user:password@host:9000/audit
    AUDIT_HTTP_PORT             0         of /healthz, /readyz and /metrics; 0: any
    AUDIT_SINK_ROWS             100000    rows that close a batch
    AUDIT_SINK_BYTES            33554432  bytes of messages that close a batch
    AUDIT_SINK_LINGER_SECONDS   0.5       seconds after which a batch is closed
    AUDIT_SINK_LANES            2         blocks that are inserted side by side
    AUDIT_SINK_INSTANCE         none      a name that is kept over restarts
    AUDIT_SINK_REFUSAL_LIMIT    10000     refused in a row, or of a batch, and it stops; 0: never
    AUDIT_KILL_POINT            none      for tests: where it is to be killed

    \b
    Example: AUDIT_HTTP_PORT=9103 audit sink run
    """
    logs.configure()
    metrics.BUILD.info({"part": "sink", "version": version("auditlane-sinks")})
    settings = SinkSettings.load()
    log = structlog.get_logger(__name__)
    kill_points.arm(settings.kill_point)
    if settings.kill_point != "none":
        log.warning("armed to be killed: for tests only", kill_point=settings.kill_point)
    worker = Sink(settings)
    monitor = Monitor(settings.http_port, alive=worker.health.alive, ready=worker.health.ready)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    watchdog.watch(worker.health)
    log.info("started", http_port=monitor.port)
    started = time.monotonic()
    try:
        worker.run()
    finally:
        monitor.close()
        log.info("stopped", seconds=round(time.monotonic() - started, 1))
