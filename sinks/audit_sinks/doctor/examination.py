"""Puts the facts together and asks every check."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from audit_schemas.settings import ClickHouse
from audit_sinks.doctor import clickhouse_facts, kafka_facts, progress_checks, server_checks, topic_checks
from audit_sinks.doctor.facts import Facts
from audit_sinks.doctor.finding import Finding

CHECKS: Sequence[Callable[[Facts], Finding]] = (
    topic_checks.topics_exist,
    topic_checks.append_time,
    topic_checks.retention,
    topic_checks.cleanup_policy,
    topic_checks.record_sizes,
    topic_checks.partition_counts,
    topic_checks.replication,
    topic_checks.leader_election,
    topic_checks.offsets_retention,
    topic_checks.topic_creation,
    server_checks.clocks,
    server_checks.version,
    server_checks.migrations,
    server_checks.deduplication,
    server_checks.durability,
    server_checks.disk_space,
    progress_checks.processor_offsets,
    progress_checks.windows_offsets,
    progress_checks.sink_offsets,
    progress_checks.refusals,
    progress_checks.safe_for,
)


def read(kafka: str, clickhouse: ClickHouse) -> Facts:
    """Ask both servers, once.

    Raises:
        Unreachable, Misconfigured: one does not answer, or refuses.
    """
    kafka_found, clickhouse_found = kafka_facts.read(kafka), clickhouse_facts.read(clickhouse)
    return Facts(now=datetime.now(UTC), kafka=kafka_found, clickhouse=clickhouse_found)


def examine(facts: Facts) -> list[Finding]:
    """What every check says."""
    return [check(facts) for check in CHECKS]
