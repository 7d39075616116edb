"""When a contact's changes become visible, in words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from audit_exporter.contact_activity import Waiting
from audit_schemas.grace import GRACE


def clock(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    """The time of day in a zone; with its date unless that is today."""
    local, today = moment.astimezone(zone), now.astimezone(zone).date()
    return local.strftime("%H:%M" if local.date() == today else "%Y-%m-%d %H:%M")


def sync_line(next_sync: datetime | None, zone: ZoneInfo, now: datetime) -> str:
    """When the next changes come."""
    return f"next sync {clock(next_sync, zone, now)} ({zone})" if next_sync else "no sync is due"


def waiting_line(waiting: Waiting, zone: ZoneInfo, now: datetime) -> str:
    """When the next changes come, and how many of the contact's wait for it."""
    count = f"{waiting.changes:,} change{'s' * (waiting.changes != 1)}" if waiting.changes else "no change"
    verb = "are" if waiting.changes > 1 else "is"
    late = f", {waiting.overdue:,} of them overdue" if waiting.overdue else ""
    return f"{sync_line(waiting.next_sync, zone, now)}, {count} of this contact {verb} pending{late}"


def mark(event: Mapping[str, Any], zone: ZoneInfo, now: datetime) -> str:
    """What is to be said of an event that is not in the activity yet; nothing of one that is."""
    if not event["pending"]:
        return ""
    end: datetime = event["window_end"]
    word = "pending until" if end > now else "being synced since" if end > now - GRACE else "overdue since"
    return f"{word} {clock(end, zone, now)}"
