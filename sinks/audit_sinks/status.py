"""What `audit status` tells of a look: how far the log is complete, what waits, and if that is too long."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from audit_schemas.grace import GRACE
from audit_sinks.doctor import Level, Limit, shortest
from audit_sinks.doctor.finding import duration
from audit_sinks.monitoring.lags import Lag, lags
from audit_sinks.monitoring.observer import Look
from audit_sinks.sync import Sync, sentence
from audit_sinks.verification.completeness import Completeness

PATIENCE = timedelta(seconds=60)
"""How long a record may wait before its stage is behind, unless said otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A look, and how long a record may wait."""

    look: Look
    patience: timedelta = PATIENCE

    @property
    def lags(self) -> list[Lag]:
        """By stage; empty where Kafka does not answer."""
        return lags(self.look.kafka.positions) if self.look.kafka else []

    @property
    def safe_for(self) -> Limit | None:
        """What runs out first; nothing where Kafka does not answer, or nothing does."""
        return shortest(self.look.kafka, self.look.at) if self.look.kafka else None

    @property
    def completeness(self) -> Completeness | None:
        """How far the log is complete; nothing where ClickHouse does not answer."""
        return self.look.stored.completeness if self.look.stored else None

    @property
    def sync(self) -> Sync | None:
        """How far the contacts' activity is; nothing where ClickHouse does not answer."""
        return self.look.stored.sync if self.look.stored else None

    @property
    def pending_migrations(self) -> tuple[str, ...]:
        """Their names."""
        return self.look.clickhouse.pending_migrations if self.look.clickhouse else ()

    @property
    def complaints(self) -> str:
        """How many `audit doctor` has, by level; empty where it has none."""
        levels = [finding.level for finding in self.look.findings]
        counts = {level: levels.count(level) for level in (Level.BROKEN, Level.WARNING)}
        return ", ".join(f"{count} {level}" for level, count in counts.items() if count)

    @property
    def behind(self) -> list[str]:
        """Why the pipeline is behind, one sentence for each reason; empty where it is not."""
        return [*self._unseen(), *self._waiting(), *self._incomplete(), *self._overdue()]

    def is_late(self, lag: Lag) -> bool:
        """Whether something of a stage waits for too long; with no patience whether anything waits."""
        return bool(lag.records) and lag.age(self.look.at) >= self.patience

    @property
    def is_old(self) -> bool:
        """Whether the log is complete up to a moment that is too long ago.

        A mark comes every few seconds and takes some more to be stored, so it is given the grace besides.
        """
        through = self.completeness and self.completeness.complete_through
        return not through or self.look.at - through > self.patience + GRACE

    def _unseen(self) -> Iterator[str]:
        for problem in self.look.problems.values():
            yield problem.message
        if clickhouse := self.look.clickhouse:
            if clickhouse.changed_migration:
                yield clickhouse.changed_migration
            if pending := len(clickhouse.pending_migrations):
                yield f"migrations are pending, {pending} of them: run `audit migrate up`"

    def _waiting(self) -> Iterator[str]:
        for lag in self.lags:
            if self.is_late(lag):
                waits = f"{lag.records:,} records of {lag.topic} wait for {lag.group}"
                yield f"{waits}, the first for {duration(lag.age(self.look.at))}"

    def _incomplete(self) -> Iterator[str]:
        known = self.completeness
        if known is None or not self.is_old:
            return
        if known.complete_through is None:
            where = f"partition {known.slowest_partition}" if known.partitions else "the log"
            yield f"{where} has no mark yet, so nothing is known to be complete: is `audit processor run` up?"
        else:
            slowest, ago = known.slowest_partition, duration(self.look.at - known.complete_through)
            yield f"partition {slowest} of audit.changes is complete only up to {ago} ago"

    def _overdue(self) -> Iterator[str]:
        if self.sync and self.sync.overdue:
            yield f"contacts' activity: {sentence(self.sync, self.look.at)}"
