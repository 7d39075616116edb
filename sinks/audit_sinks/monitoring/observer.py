"""One look at Kafka and ClickHouse, each by itself: one that is away hides nothing of the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from audit_sinks import sync
from audit_sinks.clickhouse import connect, query
from audit_sinks.dead_letters.stored import Choice, count
from audit_sinks.doctor import Finding, examine
from audit_sinks.doctor.clickhouse_facts import read_by
from audit_sinks.doctor.facts import ClickHouseFacts, Facts, KafkaFacts
from audit_sinks.doctor.kafka_facts import KafkaReader
from audit_sinks.errors import AuditError
from audit_sinks.settings import Servers
from audit_sinks.sync import Sync
from audit_sinks.tables import FEEDS
from audit_sinks.verification import completeness
from audit_sinks.verification.completeness import Completeness

_PATIENCE = 30
"""Seconds that ClickHouse may be silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What our tables and views say."""

    completeness: Completeness
    sync: Sync
    dead_letters: int
    """Open ones: neither replayed nor purged."""
    rows: Mapping[str, int]
    """By table; repeats that are not merged yet are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen; nothing where it could not be seen, never what was seen before."""

    at: datetime
    """When it began, by this machine's clock."""
    kafka: KafkaFacts | None = None
    clickhouse: ClickHouseFacts | None = None
    stored: Stored | None = None
    """Nothing also while a migration is pending: the tables are not as we know them."""
    problems: Mapping[str, AuditError] = field(default_factory=dict)
    """Why a server could not be asked, by its name."""

    @property
    def whole(self) -> bool:
        """Whether everything was seen."""
        return None not in (self.kafka, self.clickhouse, self.stored)

    @property
    def findings(self) -> list[Finding]:
        """What the checks of `audit doctor` say; nothing where one server's facts are missing."""
        if self.kafka is None or self.clickhouse is None:
            return []
        return examine(Facts(now=self.at, kafka=self.kafka, clickhouse=self.clickhouse))


class Observer:
    """Looks as often as it is asked. Close it: it is a context for `closing`."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers.kafka
        self._clickhouse = servers.clickhouse
        self._kafka = KafkaReader(self._servers)

    def close(self) -> None:
        """Disconnect."""
        self._kafka.close()

    def look(self) -> Look:
        """Ask both servers; blocks for some seconds where one is away."""
        at = datetime.now(UTC)
        problems: dict[str, AuditError] = {}
        kafka = clickhouse = stored = None
        try:
            kafka = self._kafka.read()
        except AuditError as error:
            problems["Kafka"] = error
            # Clients that have lost a broker may time out for long after it is back; new ones do not.
            self._kafka.close()
            self._kafka = KafkaReader(self._servers)
        try:
            clickhouse, stored = self._ask_clickhouse()
        except AuditError as error:
            problems["ClickHouse"] = error
        return Look(at=at, kafka=kafka, clickhouse=clickhouse, stored=stored, problems=problems)

    def _ask_clickhouse(self) -> tuple[ClickHouseFacts, Stored | None]:
        # Our database may not be there yet, and a connection names one that is.
        with connect(self._clickhouse, database="default", patience=_PATIENCE) as client:
            facts = read_by(client, self._clickhouse.database)
        if facts.pending_migrations or facts.changed_migration:
            return facts, None
        with connect(self._clickhouse, patience=_PATIENCE) as client:
            return facts, _stored(client, self._clickhouse.database)


def _stored(client: Any, database: str) -> Stored:
    tables = tuple(feed.table for feeds in FEEDS.values() for feed in feeds)
    rows = query(
        client,
        "SELECT name, total_rows FROM system.tables "
        "WHERE database = %(database)s AND name IN %(tables)s ORDER BY name",
        {"database": database, "tables": tables},
    )
    return Stored(
        completeness=completeness.read(client),
        sync=sync.ask(client, database),
        dead_letters=count(client, Choice()),
        rows={row["name"]: row["total_rows"] for row in rows},
    )
