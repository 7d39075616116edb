"""`audit monitor`: run the process that tells Prometheus how the whole pipeline is."""

import signal
from importlib.metadata import version

import click
import structlog
from prometheus_client import PLATFORM_COLLECTOR, PROCESS_COLLECTOR, CollectorRegistry

from audit_schemas import logs, metrics
from audit_schemas.monitoring import Monitor
from audit_sinks.monitoring.board import Board
from audit_sinks.monitoring.settings import MonitorSettings
from audit_sinks.monitoring.watch import Watch


@click.group()
def monitor() -> None:
    """Watch the pipeline from outside, for Prometheus."""


@monitor.command()
def run() -> None:
    """Show on /metrics what waits, what is wrong and for how long a standstill is safe, until SIGTERM.

    It joins no group and writes nothing. While a server is away the metrics that come from it are not there,
    and audit_monitor_looked_timestamp_seconds stands still. The alerts are in deploy/alerts.

    \b
    Variable                      Default   What it is
    AUDIT_KAFKA                   required  bootstrap servers: host:port, ...
    AUDIT_CLICKHOUSE              required  clickhouse://user:password@host:9000/audit
    AUDIT_HTTP_PORT               0         of /healthz, /readyz and /metrics; 0: any
    AUDIT_MONITOR_SECONDS         15        seconds between two looks
    AUDIT_MONITOR_VERIFY_SECONDS  900       seconds between two runs of `audit verify`
    AUDIT_MONITOR_VERIFY_HOURS    25        how far back they look

    \b
    Example: AUDIT_HTTP_PORT=9104 audit monitor run
    """
    logs.configure()
    metrics.BUILD.info({"part": "monitor", "version": version("auditlane-sinks")})
    settings = MonitorSettings.load()
    log = structlog.get_logger(__name__)
    board = Board()
    watch = Watch(settings, board)
    # A registry of its own: the workers' counters would stand at 0 in the common one.
    registry = CollectorRegistry()
    for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, metrics.BUILD, board):
        registry.register(collector)
    health = watch.health
    server = Monitor(settings.http_port, alive=health.alive, ready=health.ready, registry=registry)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: watch.stop())
    log.info("started", http_port=server.port)
    try:
        watch.run()
    finally:
        server.close()
        log.info("stopped")
