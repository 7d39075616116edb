"""What is read of the servers, once, for all checks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit_sinks.doctor.positions import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicFacts:
    """One of our topics, as it is in the cluster."""

    id: str
    """Kafka's own: a topic that was made anew under the same name has another."""
    partitions: int
    replication: int
    """The fewest replicas that one of its partitions has."""
    config: Mapping[str, str]

    @property
    def retention(self) -> timedelta | None:
        """How long a record stays at least; nothing where none is deleted for its age."""
        kept = int(self.config["retention.ms"])
        if kept < 0 or "delete" not in self.config["cleanup.policy"]:
            return None
        return timedelta(milliseconds=kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFacts:
    """One of our consumer groups."""

    members: int
    """Workers that are in it now."""
    worked_at: datetime | None = None
    """Of a group without members: append time of the newest record that it has done, as far as it is
    left; at that time it still worked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaFacts:
    """The brokers, our topics and our groups."""

    brokers: Mapping[str, Mapping[str, str]]
    """The settings of each broker, by its id."""
    topics: Mapping[str, TopicFacts]
    groups: Mapping[str, GroupFacts]
    positions: tuple[Position, ...]
    newest_append: datetime | None
    """The latest append time in audit.changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFacts:
    """One of the tables that the sink fills."""

    topic: str
    """The topic that fills it."""
    replicated: bool
    partitions: int | None
    """How many it has now; nothing where it is not partitioned."""
    settings: Mapping[str, str]
    """Its own, and where it has none the server's defaults."""
    inserts_a_minute: float = 0.0
    """Lately; each part that an insert made counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """One disk of ClickHouse's, in bytes."""

    name: str
    free: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickHouseFacts:
    """The server, and our tables in it."""

    version: str
    ahead: timedelta
    """Its clock less this machine's."""
    tables: Mapping[str, TableFacts]
    disks: tuple[Disk, ...]
    pending_migrations: tuple[str, ...] = ()
    changed_migration: str = ""
    """What is wrong with one that was applied, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All of it, and when it was read by this machine's clock."""

    now: datetime
    kafka: KafkaFacts
    clickhouse: ClickHouseFacts
