"""Reading topics from their first records again, beside the sink and without its group.

The records go the sink's way: the same readers, the same blocks, the same inserts. What is refused is a
dead letter already, so it is only counted.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined] # not in __all__

from audit_schemas.kafka import client_config
from audit_schemas.settings import ClickHouse
from audit_sinks import reading
from audit_sinks.batches import Collector, Limits, MarkRow, Outcome, Place, Refusal
from audit_sinks.doctor.positions import offsets
from audit_sinks.errors import Incomplete, Misconfigured, Unreachable
from audit_sinks.insertion import Inserter, Report
from audit_sinks.kafka import explained
from audit_sinks.lanes import Insert, insert_all, nothing
from audit_sinks.tables import FEEDS

Positions = Mapping[Place, int]
"""By partition, the offset of the next record."""
Tell = Callable[[int], None]
"""Is told how many records were read in all."""

_CHUNK = 5_000
_POLL_SECONDS = 0.1
_SECONDS = 10.0
_STALL_SECONDS = 60.0
_LANES = 2
_LIMITS = Limits(rows=100_000, bytes=32 * 1024 * 1024, seconds=1.0)


class Reader:
    """All partitions of some topics. Not to be used by two threads at once."""

    def __init__(self, kafka: str, topics: Sequence[str], *, marks: bool) -> None:
        """Connect; nothing is read yet.

        Args:
            kafka: bootstrap servers.
            topics: what to read.
            marks: whether marks are stored too.

        Raises:
            Misconfigured: a topic does not exist.
            Unreachable: Kafka does not answer.
        """
        self._consumer = Consumer(
            client_config(
                kafka,
                **{
                    # The library asks for a name; nobody joins it without a subscription.
                    "group.id": "audit-rebuild",
                    "client.id": "audit-rebuild",
                    "enable.auto.commit": False,
                    "enable.auto.offset.store": False,
                    "auto.offset.reset": "error",
                    "enable.partition.eof": True,
                    "queued.max.messages.kbytes": 8_192,
                    "fetch.queue.backoff.ms": 10,
                    "fetch.message.max.bytes": 262_144,
                    "fetch.wait.max.ms": 100,
                },
            )
        )
        self._admin = AdminClient(client_config(kafka))
        self._marks = marks
        self._places = [place for topic in topics for place in self._partitions(topic)]
        self.positions: dict[Place, int] = {}
        self.records = 0
        """How many were read."""

    def close(self) -> None:
        """Leave."""
        self._consumer.close()

    def lows(self) -> dict[Place, int]:
        """By partition, the first offset that Kafka has.

        Raises:
            Unreachable, Misconfigured: Kafka cannot be asked.
        """
        return self._offsets(OffsetSpec.earliest())  # type: ignore[no-untyped-call]

    def ends(self) -> dict[Place, int]:
        """By partition, the offset after its last record now.

        Raises:
            Unreachable, Misconfigured: Kafka cannot be asked.
        """
        return self._offsets(OffsetSpec.latest())  # type: ignore[no-untyped-call]

    def begin(self, positions: Positions) -> None:
        """Go on there; a partition that is not named is not read."""
        self.positions = dict(positions)

    def read(self, ends: Positions, lanes: Sequence[Insert], tell: Tell = lambda _: None) -> None:
        """Read and insert up to these offsets; returns once all of it is inserted.

        Raises:
            Incomplete: records left Kafka before they were read.
            Unreachable, Misconfigured: a server cannot be asked, or refuses.
        """
        left = {place: end for place, end in ends.items() if self.positions.get(place, end) < end}
        if not left:
            return
        collector = Collector(_LIMITS)
        for place in left:
            collector.assign(place, self.positions[place], None)
        self._consumer.assign([TopicPartition(*place, self.positions[place]) for place in left])
        inserting: Future[None] = nothing()
        heard = time.monotonic()
        while left:
            messages = self._consumer.consume(_CHUNK, _POLL_SECONDS)
            heard = time.monotonic() if messages else heard
            if time.monotonic() - heard > _STALL_SECONDS:
                raise Unreachable("Kafka sends nothing more", remedy="check AUDIT_KAFKA, and run it again")
            self._take(messages, collector)
            left = {place: end for place, end in left.items() if self.positions[place] < end}
            if collector.due(time.monotonic()) or not left:
                _wait(inserting)
                inserting = insert_all(collector.take(), lanes)
                heard = time.monotonic()
                tell(self.records)
        _wait(inserting)

    def _take(self, messages: Sequence[Message], collector: Collector) -> None:
        now = time.monotonic()
        for message in messages:
            place = Place(message.topic() or "", message.partition() or 0)
            if message.error() is not None:
                if (end := self._at_end(message, place)) is not None:
                    self.positions[place] = max(self.positions[place], end)
                continue
            value, offset = message.value(), message.offset() or 0
            outcome = self._wanted(reading.outcome(place.topic, offset, value, message))
            collector.add(place, offset, outcome, size=len(value or b""), now=now)
            self.positions[place] = offset + 1
            self.records += 1

    def _wanted(self, outcome: Outcome) -> Outcome:
        return None if isinstance(outcome, MarkRow) and not self._marks else outcome

    def _at_end(self, message: Message, place: Place) -> int | None:
        """The offset at a partition's end; nothing where the library tries again by itself."""
        if (error := message.error()) is None:
            return None
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own codes are named so
            return message.offset()
        if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - as above
            raise Incomplete(
                f"{place.topic}[{place.partition}]: records left Kafka before they were read again",
                remedy="run it again: they are taken from the tables then; "
                "where that happens often, lengthen the topic's retention for as long as it takes",
            )
        found = explained(error, topic=place.topic)
        if isinstance(found, Misconfigured):
            raise found
        return None

    def _offsets(self, spec: Any) -> dict[Place, int]:
        try:
            found = offsets(self._admin, [TopicPartition(*place) for place in self._places], spec)
        except KafkaException as error:
            raise explained(error.args[0]) from error
        return {Place(*place): at.offset for place, at in found.items()}

    def _partitions(self, topic: str) -> list[Place]:
        try:
            known = self._consumer.list_topics(topic, timeout=_SECONDS).topics[topic]
        except KafkaException as error:
            raise explained(error.args[0], topic=topic) from error
        if known.error is not None:
            raise explained(known.error, topic=topic)
        return [Place(topic, number) for number in sorted(known.partitions)]


def _wait(inserting: "Future[None]") -> None:
    """Wait in steps, so that a signal is heard in between."""
    while not wait_for([inserting], timeout=0.2).done:
        pass
    inserting.result()


@contextmanager
def lanes(
    clickhouse: ClickHouse, tables: Sequence[str], *, epoch: str, report: Report
) -> Iterator[list[Insert]]:
    """Ways into the tables of a database.

    Args:
        clickhouse: with the database.
        tables: only these are filled.
        epoch: goes into the tokens: blocks of another run, or of the sink, are others.
        report: told why inserting waits, and None when it goes on.
    """

    def refuse(_: Sequence[Refusal]) -> None:
        """It is in audit.dead-letters since the sink first met it."""

    inserters = [Inserter(clickhouse, refuse=refuse, report=report, refusal_limit=0) for _ in range(_LANES)]
    feeds = {topic: tuple(feed for feed in every if feed.table in tables) for topic, every in FEEDS.items()}

    def into(inserter: Inserter) -> Insert:
        return lambda place, batch: inserter.insert(feeds[place.topic], epoch, place, batch)

    try:
        yield [into(inserter) for inserter in inserters]
    finally:
        for inserter in inserters:
            inserter.close()
