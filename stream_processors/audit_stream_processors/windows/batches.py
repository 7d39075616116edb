"""Contact changes grouped by contact and window: what audit.contact-batches carries."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from audit_schemas.enriched import EnrichedEvent
from audit_schemas.keys import joined
from audit_schemas.topics import CONTACT_BATCHES
from audit_schemas.wire import encode

_NAMESPACE = UUID("5f3ab2d4-6a0e-4c1b-9d67-0d1c5a6f7e21")
LARGEST = CONTACT_BATCHES.room * 4 // 5
"""Bytes of changes in one batch; the rest is for what stands around them."""


class Change(NamedTuple):
    """A contact's change, read and as it is written."""

    offset: int
    event: EnrichedEvent
    value: bytes


class Batch(NamedTuple):
    """A record for audit.contact-batches."""

    key: bytes
    value: bytes


def batches(
    changes: Iterable[Change], topic: str, partition: int, closed_at: datetime | None
) -> Iterator[Batch]:
    """Group changes; within a batch, and from a contact's batch to its next, their order is kept.

    Args:
        changes: of one partition, in the order of their offsets.
        topic: where they were read; with the partition and the offsets it makes the ids.
        partition: as well.
        closed_at: when their windows were shown to be over; nothing for a backfill.
    """
    groups: dict[tuple[Any, ...], list[Change]] = {}
    sizes: dict[tuple[Any, ...], int] = {}
    for change in changes:
        event, size = change.event, len(change.value) + 1
        group = event.account, event.target.id, event.window, event.window_end
        if group in groups and sizes[group] + size > LARGEST:
            yield _batch(group, groups.pop(group), topic, partition, closed_at)
        if group not in groups:
            groups[group], sizes[group] = [], 0
        groups[group].append(change)
        sizes[group] += size
    for group, members in groups.items():
        yield _batch(group, members, topic, partition, closed_at)


def _batch(
    group: tuple[Any, ...], changes: list[Change], topic: str, partition: int, closed_at: datetime | None
) -> Batch:
    account, contact, window, window_end = group
    key = joined(account, contact)
    first, last = changes[0].offset, changes[-1].offset
    head = encode(
        {
            # The last offset too: a part that is cut again after a restart has another end.
            "id": uuid5(_NAMESPACE, f"{topic} {partition} {window} {first} {last} {key!r}"),
            "account": account,
            "contact": contact,
            "window": window,
            "window_end": window_end,
            "topic": topic,
            "partition": partition,
            "first_offset": first,
            "last_offset": last,
            "closed_at": closed_at,
        }
    )
    # The changes go on as the bytes that they are.
    return Batch(key, b'%s,"events":[%s]}' % (head[:-1], b",".join([change.value for change in changes])))
