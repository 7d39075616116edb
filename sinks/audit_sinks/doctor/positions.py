"""How far each group is in each partition, asked from outside: nothing is joined, committed or written."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined] # not in __all__

from audit_schemas.committed_offsets import SECONDS, CommittedOffsets
from audit_schemas.offset_note import OffsetNote, read_note
from audit_schemas.topics import CHANGES, CONTACT_CHANGES, PROCESSOR_GROUP, SINK_GROUP, WINDOWS_GROUP
from audit_sinks.tables import FEEDS

READS: Mapping[str, tuple[str, ...]] = {
    PROCESSOR_GROUP: (CHANGES.name,),
    WINDOWS_GROUP: (CONTACT_CHANGES.name,),
    SINK_GROUP: tuple(FEEDS),
}
"""What each group reads, in the order of an event's way: no topic is read by two."""

_EARLIEST: Any = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST: Any = OffsetSpec.latest()  # type: ignore[no-untyped-call]

_JSON = json.JSONDecoder()

Partition = tuple[str, int]
"""A topic and a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a group is in one partition."""

    group: str
    topic: str
    partition: int
    committed: int | None
    start: int
    """The first offset that is left."""
    end: int
    """The offset that the next record gets."""
    waits_since: datetime | None = None
    """Append time of the first record that is not done; nothing where none waits."""
    note: OffsetNote | None = None
    """What the worker wrote beside the offset; nothing where it wrote none, or none that can be read."""

    @property
    def place(self) -> Partition:
        """Where it is."""
        return self.topic, self.partition

    @property
    def next(self) -> int:
        """The offset of the first record that is left to be done."""
        return max(self.start, self.committed or 0)

    @property
    def records(self) -> int:
        """How many wait."""
        return max(0, self.end - self.next)


def positions(
    admin: AdminClient, committed: CommittedOffsets, group: str, counts: Mapping[str, int]
) -> list[Position]:
    """Ask where a group is.

    The committed offsets come first, the ends later: what is done to its end is done with all that was
    appended before this call.

    Args:
        admin: a client.
        committed: the same brokers'.
        group: its name.
        counts: topics and how many partitions each has.

    Raises:
        KafkaException: the brokers do not answer, or refuse.
    """
    partitions = [TopicPartition(topic, number) for topic, count in counts.items() for number in range(count)]
    if not partitions:
        return []
    done = committed.of(group, partitions)
    starts, ends = offsets(admin, partitions, _EARLIEST), offsets(admin, partitions, _LATEST)
    return [
        Position(
            group=group,
            topic=found.topic,
            partition=found.partition,
            committed=found.offset if found.offset >= 0 else None,
            start=starts[found.topic, found.partition].offset,
            end=ends[found.topic, found.partition].offset,
            note=note_of(found),
        )
        for found in done
    ]


def offsets(admin: AdminClient, partitions: Sequence[TopicPartition], spec: Any) -> dict[Partition, Any]:
    """What `spec` asks of each partition; its own result type, with `offset` and `timestamp`."""
    if not partitions:
        return {}
    futures = admin.list_offsets(dict.fromkeys(partitions, spec), request_timeout=SECONDS)
    return {(at.topic, at.partition): future.result() for at, future in futures.items()}


def partition_counts(admin: AdminClient, topics: Iterable[str]) -> dict[str, int]:
    """How many partitions each of these topics has; those that do not exist are left out."""
    known = admin.list_topics(timeout=SECONDS).topics
    return {topic: len(known[topic].partitions) for topic in topics if topic in known}


class Noted(Protocol):
    """What has a note: a `TopicPartition`."""

    @property
    def metadata(self) -> str | None:
        """May raise UnicodeDecodeError."""


def note_of(found: Noted) -> OffsetNote | None:
    """The note beside an offset; nothing where there is none that can be read.

    librdkafka copies a note without the zero that ends it, and reads on in its memory: behind a note of the
    processors, whose client writes no zero, there may lie anything.
    """
    try:
        text = found.metadata or ""
    except UnicodeDecodeError as error:
        text = bytes(error.object).decode(errors="replace")
    try:
        _, end = _JSON.raw_decode(text)
        return read_note(text[:end])
    except ValueError:
        return None
