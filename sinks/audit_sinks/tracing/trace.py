"""Following one event through every stage, from the record that was published to the row that is read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from audit_schemas.grace import GRACE
from audit_schemas.topics import CHANGES, CONTACT_CHANGES, EVENTS
from audit_sinks.clickhouse import query
from audit_sinks.dead_letters import stored
from audit_sinks.errors import Invalid
from audit_sinks.sync import clock
from audit_sinks.tracing.search import Found, find

_MARGIN = timedelta(minutes=1)
"""How far a producer's clock may run ahead of the broker's for its event to be found by its id's time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of the way."""

    name: str
    found: bool
    about: str
    """Where and when, or why not."""
    pending: bool = False
    """It is not there, and need not be yet."""
    visible: bool = False
    """Whether people read there: an event that is missing there has not arrived."""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def missing(self) -> bool:
        """Whether the event should be there and is not."""
        return not (self.found or self.pending)


def time_of(event_id: UUID) -> datetime | None:
    """When an id was minted; nothing where the id does not tell."""
    if event_id.version != 7:
        return None
    return datetime.fromtimestamp((event_id.int >> 80) / 1000, UTC)


def trace(event_id: UUID, *, kafka: str, client: Any, since: datetime | None) -> Iterator[Stage]:
    """Look for an event at each stage, in order.

    Args:
        event_id: the event's.
        kafka: bootstrap servers.
        client: of ClickHouse.
        since: from when on to search Kafka; by default the event's own time.

    Raises:
        Invalid: the id tells no time, the event is not stored, and `since` is not given.
    """
    rows = query(client, _ROWS, {"id": event_id})
    start = rows[0]["received_at"] if rows else since or time_of(event_id)
    if start is None:
        raise Invalid(
            f"{event_id} is not stored, and it is no UUIDv7 that tells its time",
            remedy="say from when on to search Kafka: --since 2h",
        )
    start = start if rows else start - _MARGIN
    partition = rows[0]["source_partition"] if rows else None
    changes = find(kafka, CHANGES.name, event_id, start, partition)
    yield _kafka_stage(CHANGES.name, changes, "never published, or it has left Kafka by retention")
    events = find(kafka, EVENTS.name, event_id, start, changes.partition if changes else partition)
    yield _kafka_stage(EVENTS.name, events, "the processors have not passed it on")
    yield from _dead_letters(client, {CHANGES.name: changes, EVENTS.name: events})
    yield _stored_stage(rows)
    yield _log_stage(client, event_id)
    if rows and _is_contact_change(rows[0]):
        yield from _contact_stages(event_id, rows, kafka=kafka, client=client)


_ROWS = """
SELECT account_id, occurred_at, received_at, stored_at, catalogue_version, source_partition, source_offset,
    module, target_type, recorded, window_end
FROM audit_events WHERE event_id = %(id)s ORDER BY version DESC
"""

_ACTIVITY = """
SELECT synced_at, contact_batch_id, window_start, window_end FROM contact_activity
WHERE event_id = %(id)s AND account_id = %(account)s
"""


def _kafka_stage(topic: str, record: Found | None, missing: str) -> Stage:
    if record is None:
        return Stage(name=topic, found=False, about=missing)
    return Stage(
        name=topic,
        found=True,
        about=f"partition {record.partition}, offset {record.offset}, "
        f"appended at {record.appended_at:%F %T.%f} UTC",
        details=msgspec.to_builtins(record),
    )


def _stored_stage(rows: list[dict[str, Any]]) -> Stage:
    if not rows:
        return Stage(name="audit_events", found=False, about="the sink has not stored it")
    copies = f", {len(rows)} copies" if len(rows) > 1 else ""
    about = f"account {rows[0]['account_id']}, stored at {rows[0]['stored_at']:%F %T.%f} UTC{copies}"
    return Stage(name="audit_events", found=True, about=about, details={"rows": rows})


def _dead_letters(client: Any, records: Mapping[str, Found | None]) -> Iterator[Stage]:
    for topic, record in records.items():
        for letter in stored.at(client, topic, record.partition, record.offset) if record else ():
            about = f"{letter.reason} by the {letter.stage}: {letter.detail}"
            yield Stage(name="dead letter", found=True, about=about, details=stored.summary(letter))


def _log_stage(client: Any, event_id: UUID) -> Stage:
    (log,) = query(client, "SELECT count() AS rows FROM audit_log WHERE event_id = %(id)s", {"id": event_id})
    about = "visible once" if log["rows"] == 1 else f"visible {log['rows']} times"
    return Stage(name="audit_log", found=log["rows"] == 1, about=about, visible=True)


def _is_contact_change(row: Mapping[str, Any]) -> bool:
    """Whether the event belongs into its contact's activity."""
    of_contact = (row["module"], row["target_type"]) == ("contacts", "contact")
    return of_contact and bool(row["window_end"] or row["recorded"] == "backfill")


def _contact_stages(
    event_id: UUID, rows: Sequence[Mapping[str, Any]], *, kafka: str, client: Any
) -> Iterator[Stage]:
    """What a contact's change passes beside the log; an imported one waits for no window."""
    first, ends = rows[0], [row["window_end"] for row in rows]
    due_at = None if None in ends else min(ends)
    if due_at is not None:
        change = find(kafka, CONTACT_CHANGES.name, event_id, first["received_at"], first["source_partition"])
        yield _kafka_stage(CONTACT_CHANGES.name, change, "not passed on, or it has left Kafka by retention")
        yield from _dead_letters(client, {CONTACT_CHANGES.name: change})
    synced = query(client, _ACTIVITY, {"id": event_id, "account": first["account_id"]})
    yield activity_stage(due_at, synced, datetime.now(UTC))


def activity_stage(due_at: datetime | None, synced: Sequence[Mapping[str, Any]], now: datetime) -> Stage:
    """Whether a change is in its contact's activity.

    Args:
        due_at: end of its window; nothing for an imported change, which is due at once.
        synced: its rows of contact_activity.
        now: the present.
    """
    name = "contact_activity"
    if len(synced) == 1:
        return Stage(name=name, found=True, about=_synced(synced[0]), visible=True, details={**synced[0]})
    if synced:
        return Stage(name=name, found=False, about=f"visible {len(synced)} times", visible=True)
    if due_at is None:
        return Stage(name=name, found=False, about="imported, and the sink has not stored it", visible=True)
    if due_at + GRACE > now:
        return Stage(name=name, found=False, about=f"pending until {clock(due_at, now)}", pending=True)
    about = f"overdue since {clock(due_at, now)}: `audit status` shows what waits"
    return Stage(name=name, found=False, about=about, visible=True)


def _synced(row: Mapping[str, Any]) -> str:
    start, end = row["window_start"], row["window_end"]
    window = f"in the window from {start:%F %T} to {end:%F %T} UTC" if start and end else "imported"
    return f"{window}, synced at {row['synced_at']:%F %T.%f} UTC, batch {row['contact_batch_id']}"
