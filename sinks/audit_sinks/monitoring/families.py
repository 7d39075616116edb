"""What was seen, as metrics: a value that could not be read gives no sample at all.

A sample that is left out is gone for Prometheus after its next scrape, in graphs as in alerts, and `absent`
can ask for it. A NaN would be kept, would turn every sum that it is in into NaN, and compares as false, so
that an alert is silent about it.
"""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily

from audit_schemas import metrics
from audit_sinks.doctor import Level, shortest
from audit_sinks.doctor.facts import KafkaFacts
from audit_sinks.doctor.positions import Position
from audit_sinks.monitoring.lags import watched
from audit_sinks.monitoring.observer import Look, Stored


def families(look: Look) -> Iterator[GaugeMetricFamily]:
    """Everything that a look has seen."""
    if look.kafka:
        yield from _of_kafka(look.kafka, look)
    if look.stored:
        yield from _of_clickhouse(look.stored)
    if findings := look.findings:
        levels = [finding.level for finding in findings]
        yield metrics.DOCTOR_FINDINGS.family(
            {(level,): levels.count(level) for level in (Level.WARNING, Level.BROKEN)}
        )


def _of_kafka(kafka: KafkaFacts, look: Look) -> Iterator[GaugeMetricFamily]:
    at = {(it.group, it.topic, str(it.partition)): it for it in watched(kafka.positions)}
    yield metrics.CONSUMER_LAG.family({labels: it.records for labels, it in at.items()})
    yield metrics.CONSUMER_LAG_SECONDS.family(
        {labels: _age(it, look) for labels, it in at.items() if it.waits_since or not it.records}
    )
    if limit := shortest(kafka, look.at):
        yield metrics.SAFE_FOR.family({(): max(0.0, limit.left.total_seconds())})


def _age(position: Position, look: Look) -> float:
    """Seconds; a record that was appended since the look began is new."""
    since = position.waits_since
    return max(0.0, (look.at - since).total_seconds()) if since else 0.0


def _of_clickhouse(stored: Stored) -> Iterator[GaugeMetricFamily]:
    if through := stored.completeness.complete_through:
        yield metrics.COMPLETE_THROUGH.family({(): through.timestamp()})
    yield metrics.ACTIVITY_OVERDUE.family({(): stored.sync.overdue})
    yield metrics.DEAD_LETTERS_OPEN.family({(): stored.dead_letters})
