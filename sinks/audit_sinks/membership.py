"""The sink's place in its consumer group: where to resume, what to commit, and when it is out of it."""

import time
from collections.abc import Collection, Mapping, Sequence

import structlog
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from audit_schemas.kafka import client_config
from audit_schemas.offset_note import OffsetNote, check_topic
from audit_schemas.topics import SINK_GROUP
from audit_sinks import journal
from audit_sinks.batches import Place
from audit_sinks.errors import Unreachable
from audit_sinks.kafka import explained
from audit_sinks.settings import SinkSettings

_log = structlog.get_logger(__name__)

_SECONDS = 1.2
"""How long one request may take; it is repeated, and in between we can be stopped."""
_CHECK_SECONDS = 5.0
"""Between two questions for the topics' ids."""


def consumer_config(settings: SinkSettings) -> dict[str, object]:
    """The consumer's settings, as librdkafka names them.

    Offsets are committed by the journal alone. An offset that is out of range is an error, never a
    silent jump. Assignment is eager: at a rebalance everything is forgotten and read again from the
    journal, so there is one way to begin, not two.
    """
    more: dict[str, object] = {
        "group.id": SINK_GROUP,
        "client.id": "audit-sink",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "partition.assignment.strategy": "roundrobin",
        # The least that brokers permit by default: the partitions of a killed sink wait for so long.
        "session.timeout.ms": 6_000,
        "heartbeat.interval.ms": 1_000,
        # What librdkafka reads ahead of us, for each partition; when it is full, it looks again soon and not
        # after its usual second.
        "queued.max.messages.kbytes": 8_192,
        "fetch.queue.backoff.ms": 10,
        # Of each partition at once, compressed: ten times as much in memory. A larger message still comes.
        "fetch.message.max.bytes": 262_144,
        "fetch.wait.max.ms": 100,
    }
    if settings.sink_instance:
        more["group.instance.id"] = settings.sink_instance
    return client_config(settings.kafka, **more)


class Membership:
    """Reads and writes the group's committed offsets."""

    def __init__(self, consumer: Consumer, admin: AdminClient) -> None:
        self._consumer = consumer
        self._admin = admin
        self.topic_ids: Mapping[str, str] = {}
        """By topic; asked anew at each assignment."""
        self._checked_at = 0.0

    def find_topics(self, names: Sequence[str]) -> None:
        """Learn the topics' ids.

        Raises:
            Misconfigured: one does not exist.
            Unreachable: Kafka does not answer.
        """
        futures = self._admin.describe_topics(TopicCollection(list(names)), request_timeout=_SECONDS)
        found = {}
        for name, future in futures.items():
            try:
                found[name] = str(future.result().topic_id)
            except KafkaException as error:
                raise explained(error.args[0], topic=name) from error
        self.topic_ids = {**self.topic_ids, **found}

    def resume(self, partitions: Sequence[TopicPartition]) -> dict[Place, journal.Resume]:
        """Read the journal of newly assigned partitions. A group without a commit begins at the beginning.

        Raises:
            Misconfigured: as above, or an offset is of another topic of the same name.
            Unreachable: as above.
        """
        self.find_topics(sorted({partition.topic for partition in partitions}))
        try:
            committed = self._consumer.committed(list(partitions), timeout=_SECONDS)
        except KafkaException as error:
            raise explained(error.args[0]) from error
        found = {}
        for partition in committed:
            if partition.error is not None:
                raise explained(partition.error, topic=partition.topic)
            found[Place(partition.topic, partition.partition)] = self._resume(partition)
        return found

    def _resume(self, committed: TopicPartition) -> journal.Resume:
        if committed.offset < 0:
            return journal.Resume(OFFSET_BEGINNING)
        place = Place(committed.topic, committed.partition)
        topic_id = self.topic_ids[committed.topic]
        resume = journal.read(place, committed.offset, committed.metadata or "", topic_id)
        if resume.warning:
            _log.warning(resume.warning, topic=committed.topic, partition=committed.partition)
        return resume

    def commit(self, positions: Mapping[Place, journal.Position]) -> None:
        """Commit at once; nothing where there is nothing to say.

        Now and then the topics' ids are asked for first. A consumer that runs while a topic is made anew
        reads on in the new one, from the old one's offset. What it commits until it is stopped here carries
        the old topic's id, and the next start refuses it.

        Raises:
            Fenced: the group has moved on without us.
            Misconfigured: a topic is gone, or was made anew; nothing is committed.
            Unreachable: Kafka does not answer; to be repeated.
        """
        if not positions:
            return
        self._check_topics(positions)
        offsets = [
            TopicPartition(*place, position.offset, metadata=position.note(self.topic_ids[place.topic]))
            for place, position in positions.items()
        ]
        try:
            results = self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            raise explained(error.args[0]) from error
        for result in results or ():
            if result.error is not None:
                raise explained(result.error, topic=result.topic)

    def _check_topics(self, places: Collection[Place]) -> None:
        if time.monotonic() - self._checked_at < _CHECK_SECONDS:
            return
        self._checked_at = time.monotonic()
        known = self.topic_ids
        try:
            self.find_topics(sorted({place.topic for place in places}))
        except Unreachable:
            # The commit itself says whether Kafka answers. This client may be slow to find a broker that is
            # back, and must not hold up what the consumer can do.
            return
        for place in places:
            check_topic(
                OffsetNote(topic=known[place.topic]),
                topic=place.topic,
                partition=place.partition,
                topic_id=self.topic_ids[place.topic],
                group=SINK_GROUP,
            )

    def reachable(self) -> bool:
        """Whether Kafka answers; asks it."""
        try:
            self._consumer.list_topics(timeout=_SECONDS)
        except KafkaException:
            return False
        return True
