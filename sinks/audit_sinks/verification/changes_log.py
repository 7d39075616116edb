"""Reading audit.changes by offsets, without joining a group: what Kafka still has, and what lies where."""

import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, Message, TopicPartition

from audit_schemas.kafka import client_config
from audit_schemas.topics import CHANGES
from audit_sinks.errors import Unreachable
from audit_sinks.kafka import explained
from audit_sinks.records import appended_at

_SECONDS = 10.0
_PATIENCE = 30.0
"""Seconds without a record after which Kafka is away."""
_NEAR = 1_000
"""Offsets between two wanted ones that are rather read than sought over: a seek costs a fetch."""


class Span(NamedTuple):
    """Neighbouring offsets of one partition."""

    partition: int
    first: int
    end: int
    """The offset behind the last."""

    @property
    def length(self) -> int:
        """How many offsets."""
        return self.end - self.first


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What Kafka has of one partition."""

    partition: int
    start: int
    """The first offset that retention has left."""
    begins_at: datetime | None
    """Append time of the first record there; nothing where the partition is empty."""
    first: int
    """The first offset that was received at or after the moment asked for."""
    end: int
    """The first offset that was received at or after the other moment, or the partition's end."""


class ChangesLog:
    """The topic, to look things up in. Every method raises Unreachable or Misconfigured."""

    def __init__(self, consumer: Consumer) -> None:
        self.taken = 0
        """Offsets that retention took before they were read."""
        self._consumer = consumer

    def kept(self, since: datetime | None, until: datetime | None) -> list[Kept]:
        """What Kafka has of each partition, and where two moments of receipt lie in it."""
        known = self._consumer.list_topics(CHANGES.name, timeout=_SECONDS).topics[CHANGES.name]
        if known.error is not None:
            raise explained(known.error, topic=CHANGES.name)
        ends = {number: self._ends(number) for number in known.partitions}
        begins, firsts, lasts = self._begins(ends), self._at(since, ends), self._at(until, ends)
        return [
            Kept(
                partition=number,
                start=start,
                begins_at=begins.get(number),
                first=start if since is None else firsts[number],
                end=end if until is None else lasts[number],
            )
            for number, (start, end) in sorted(ends.items())
        ]

    def read(self, spans: Sequence[Span]) -> Iterator[list[Message]]:
        """The records at these offsets, which are in order; where a transaction has its marks is none."""
        for stretch in stretches(spans):
            yield from self._stretch(stretch)

    def _ends(self, number: int) -> tuple[int, int]:
        start, end = self._consumer.get_watermark_offsets(TopicPartition(CHANGES.name, number), _SECONDS)
        return start, end

    def _at(self, moment: datetime | None, ends: dict[int, tuple[int, int]]) -> dict[int, int]:
        if moment is None:
            return {}
        milliseconds = -int(-moment.timestamp() * 1000 // 1)  # rounded up: Kafka's times have no more
        wanted = [TopicPartition(CHANGES.name, number, milliseconds) for number in ends]
        found = self._consumer.offsets_for_times(wanted, timeout=_SECONDS)
        return {
            one.partition: ends[one.partition][1] if one.offset in (-1, OFFSET_END) else one.offset
            for one in found
        }

    def _begins(self, ends: dict[int, tuple[int, int]]) -> dict[int, datetime]:
        unread = {number: start for number, (start, end) in ends.items() if start < end}
        found: dict[int, datetime] = {}
        self._assign(unread)
        while unread:
            for message in self._some():
                number = message.partition() or 0
                if not _is_end(message) and number in unread:
                    found[number] = appended_at(message)
                unread.pop(number, None)
        return found

    def _stretch(self, spans: Sequence[Span]) -> Iterator[list[Message]]:
        firsts = [span.first for span in spans]
        reached, last = firsts[0] - 1, spans[-1].end - 1
        self._assign({spans[0].partition: firsts[0]})
        while reached < last:
            messages: list[Message] = []
            for message in self._some():
                if _has_left(message):
                    self.taken += sum(max(0, one.end - max(one.first, reached + 1)) for one in spans)
                    last = reached
                    break
                if _is_end(message):
                    reached = last
                    continue
                reached = message.offset() or 0
                at = bisect_right(firsts, reached) - 1
                if at >= 0 and reached < spans[at].end:
                    messages.append(message)
            if messages:
                yield messages

    def _some(self) -> list[Message]:
        """The next records, and marks of a partition's end."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            # To wait for thousands would take the whole time at each end of a partition.
            if (message := self._consumer.poll(0.2)) is not None:
                return [message, *self._consumer.consume(5_000, 0)]
        raise Unreachable(f"{CHANGES.name}: Kafka does not answer", remedy="check AUDIT_KAFKA")

    def _assign(self, offsets: dict[int, int]) -> None:
        self._consumer.assign(
            [TopicPartition(CHANGES.name, number, offset) for number, offset in offsets.items()]
        )


def stretches(spans: Sequence[Span]) -> Iterator[list[Span]]:
    """Spans that are read in one go: of one partition, and near to each other."""
    stretch: list[Span] = []
    for before, span in pairwise([None, *spans]):
        if span is None:
            continue
        if before and (before.partition != span.partition or span.first - before.end > _NEAR):
            yield stretch
            stretch = []
        stretch.append(span)
    if stretch:
        yield stretch


def _is_end(message: Message) -> bool:
    error = message.error()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - named so
        raise explained(error, topic=CHANGES.name)
    return error is not None


def _has_left(message: Message) -> bool:
    error = message.error()
    return error is not None and error.code() == KafkaError._AUTO_OFFSET_RESET  # noqa: SLF001 - named so


@contextmanager
def changes_log(kafka: str) -> Iterator[ChangesLog]:
    """Open the topic; Kafka's errors come out as ours."""
    consumer = Consumer(
        client_config(
            kafka,
            **{
                "group.id": "audit-verify",  # needed by the library, never joined
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                # A seek waits until the fetch before it has ended.
                "fetch.wait.max.ms": 10,
                # As the processor reads: what a transaction gave up is a record all the same.
                "isolation.level": "read_uncommitted",
            },
        )
    )
    try:
        yield ChangesLog(consumer)
    except KafkaException as error:
        raise explained(error.args[0], topic=CHANGES.name) from error
    finally:
        consumer.close()
