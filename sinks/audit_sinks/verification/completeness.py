"""Up to when the log is complete, and what `audit verify` says of it in the end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from audit_sinks.clickhouse import query
from audit_sinks.verification.checking import Checked, Scope

_BEFORE = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """The view of this name."""

    complete_through: datetime | None = None
    """All that Kafka received before is stored; nothing while a partition has no mark."""
    partitions: int = 0
    slowest_partition: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What all checks come to."""

    complete_through: datetime | None
    """Within the scope nothing that was received before is missing; nothing where that is not known."""
    wrong: list[str]
    """What is wrong, one sentence for each kind."""
    waits_for: str
    """Why the scope's end is not reached; empty where it is."""

    @property
    def fine(self) -> bool:
        """Whether all of the scope is proven."""
        return not self.wrong and not self.waits_for

    @property
    def sentence(self) -> str:
        """The last line."""
        if self.complete_through is None:
            return "complete through: not known"
        return f"complete through {self.complete_through.astimezone(UTC):%F %T}Z"


def read(client: Any) -> Completeness:
    """Ask ClickHouse.

    Raises:
        Unreachable, Misconfigured: it cannot be asked.
    """
    (row,) = query(client, "SELECT complete_through, partitions, slowest_partition FROM completeness")
    return Completeness(**row)


def verdict(found: Mapping[str, Checked], completeness: Completeness, scope: Scope, now: datetime) -> Verdict:
    """Put together what the checks found and how far the log was when they began.

    Args:
        found: by check.
        completeness: read before the checks began.
        scope: what was checked; one without an end reaches to the grace before now.
        now: when the checks began.
    """
    end = scope.until or now - scope.grace
    reached = completeness.complete_through
    through = min(scope.until or reached, reached) if reached else None
    faults = [fault for checked in found.values() for fault in checked.faults.values()]
    missing = [fault.earliest - _BEFORE for fault in faults if fault.events and fault.earliest]
    if through and missing:
        through = min(through, *missing)
    return Verdict(
        complete_through=through,
        wrong=[
            f"{name}: {fault.events:,} {kind.replace('_', ' ')}"
            for name, checked in found.items()
            for kind, fault in checked.faults.items()
            if fault.events
        ],
        waits_for="" if reached and reached >= end else _waits_for(completeness, end),
    )


def _waits_for(completeness: Completeness, end: datetime) -> str:
    until = f"{end.astimezone(UTC):%F %T}Z"
    if completeness.partitions == 0:
        return f"no mark is stored yet, so nothing is proven until {until}: is `audit processor run` up?"
    reached = completeness.complete_through
    slowest = f"partition {completeness.slowest_partition} of audit.changes"
    if reached is None:
        return f"{slowest} has no mark yet, so nothing is proven until {until}"
    return f"{slowest} is stored through {reached.astimezone(UTC):%F %T}Z only, not until {until}"
