"""How far the pipeline is: what waits in Kafka, what is stored, and what an operator should know."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined] # not in __all__

from audit_schemas.settings import ClickHouse
from audit_schemas.topics import CHANGES, PROCESSOR_GROUP, SINK_GROUP
from audit_sinks import migrations, sync
from audit_sinks.clickhouse import connect, query
from audit_sinks.errors import AuditError
from audit_sinks.kafka import client_config, explained
from audit_sinks.sync import Sync
from audit_sinks.tables import FEEDS

_SECONDS = 5.0
_EARLIEST: Any = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST: Any = OffsetSpec.latest()  # type: ignore[no-untyped-call]
_READS: Mapping[str, tuple[str, ...]] = {PROCESSOR_GROUP: (CHANGES.name,), SINK_GROUP: tuple(FEEDS)}
"""What each group reads. The windows' group commits once a window: `sync` says how far that is, not a lag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """Records that a group has not done with yet, over all partitions of a topic."""

    group: str
    topic: str
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What `audit status` tells."""

    problems: list[str] = field(default_factory=list)
    """Servers that do not answer, topics or tables that are not there."""
    lags: list[Lag] = field(default_factory=list)
    newest_received_at: datetime | None = None
    """Append time of the newest event that is stored."""
    rows: dict[str, int] = field(default_factory=dict)
    """By table; repeats that are not merged yet are counted."""
    dead_letters: int = 0
    """Open ones: neither replayed nor purged."""
    sync: Sync = field(default_factory=Sync)
    """The contacts' activity: what is pending there waits for its window, and is not behind."""
    pending_migrations: list[str] = field(default_factory=list)

    @property
    def behind(self) -> bool:
        """Whether anything is late."""
        waits = any(lag.records for lag in self.lags)
        return bool(self.problems or self.pending_migrations or waits or self.sync.overdue)


def look(kafka: str, clickhouse: ClickHouse) -> Status:
    """Ask both servers; one that does not answer is a finding, not a failure."""
    problems: list[str] = []
    lags: list[Lag] = []
    stored: dict[str, Any] = {}
    try:
        lags = list(_lags(AdminClient(client_config(kafka))))
    except AuditError as error:
        problems.append(f"Kafka: {error.message}")
    try:
        with connect(clickhouse, database="default") as client:
            stored = _stored(client, clickhouse.database)
    except AuditError as error:
        problems.append(f"ClickHouse: {error.message}")
    return Status(problems=problems, lags=lags, **stored)


def _lags(admin: AdminClient) -> Iterable[Lag]:
    try:
        known = admin.list_topics(timeout=_SECONDS).topics
        for group, topics in _READS.items():
            for topic in topics:
                if topic in known:
                    partitions = [TopicPartition(topic, number) for number in known[topic].partitions]
                    yield Lag(group=group, topic=topic, records=_lag(admin, group, partitions))
    except KafkaException as error:
        raise explained(error.args[0]) from error


def _lag(admin: AdminClient, group: str, partitions: list[TopicPartition]) -> int:
    """A partition without a commit waits from its beginning."""
    request = [ConsumerGroupTopicPartitions(group, partitions)]
    committed = admin.list_consumer_group_offsets(request, request_timeout=_SECONDS)[group].result()
    starts = _offsets(admin, partitions, _EARLIEST)
    ends = _offsets(admin, partitions, _LATEST)
    done = {
        partition.partition: partition.offset if partition.offset >= 0 else starts[partition.partition]
        for partition in committed.topic_partitions
    }
    return sum(max(0, end - done[number]) for number, end in ends.items())


def _offsets(admin: AdminClient, partitions: list[TopicPartition], spec: Any) -> dict[int, int]:
    futures = admin.list_offsets(dict.fromkeys(partitions, spec), request_timeout=_SECONDS)
    return {partition.partition: future.result().offset for partition, future in futures.items()}


def _stored(client: Any, database: str) -> dict[str, Any]:
    pending = migrations.pending(migrations.load(), migrations.history(client, database))
    found: dict[str, Any] = {"pending_migrations": [migration.name for migration in pending]}
    if pending:
        return found
    rows = query(
        client,
        "SELECT name, total_rows FROM system.tables "
        "WHERE database = %(database)s AND name IN %(tables)s ORDER BY name",
        {"database": database, "tables": tuple(feed.table for feeds in FEEDS.values() for feed in feeds)},
    )
    handled = f"SELECT dead_letter_id FROM {database}.dead_letter_handling"  # noqa: S608 - a checked name
    (newest,) = query(
        client,
        "SELECT maxOrNull(received_at) AS at, (SELECT count() "  # noqa: S608 - as above
        f"FROM {database}.dead_letters FINAL WHERE dead_letter_id NOT IN ({handled})) AS letters "
        f"FROM {database}.audit_events",
    )
    return {
        **found,
        "rows": {row["name"]: row["total_rows"] for row in rows},
        "newest_received_at": newest["at"],
        "dead_letters": newest["letters"],
        "sync": sync.ask(client, database),
    }
