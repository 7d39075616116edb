"""What the broker knows of a topic: how many records were appended, and when."""

import time
from collections.abc import Iterable
from contextlib import closing

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from audit_schemas.committed_offsets import CommittedOffsets
from audit_schemas.kafka import client_config

Ends = dict[int, int]


def make_topic(bootstrap: str, name: str, partitions: int = 4) -> None:
    """Create a topic whose records carry the broker's time, and wait until it can be used."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    config = {"message.timestamp.type": "LogAppendTime"}
    for made in admin.create_topics([NewTopic(name, partitions, 1, config=config)]).values():
        made.result()
    end = time.monotonic() + 10
    while not _is_led(bootstrap, name):
        if time.monotonic() > end:
            raise TimeoutError(f"{name} has no leader")
        time.sleep(0.1)


def _is_led(bootstrap: str, name: str) -> bool:
    """Whether the broker leads all partitions: it tells of a topic a little earlier."""
    try:
        Topic(bootstrap, name).close()
    except KafkaException:
        return False
    return True


def forget_group(bootstrap: str, group: str) -> None:
    """Delete a group, so that its next member begins at the beginning."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for done in admin.delete_consumer_groups([group]).values():
        done.result()


def commit(bootstrap: str, group: str, topic: str, ends: Ends) -> None:
    """Let a group that has no members begin at these offsets."""
    places = [TopicPartition(topic, number, end) for number, end in ends.items()]
    admin = AdminClient({"bootstrap.servers": bootstrap})
    request = [ConsumerGroupTopicPartitions(group, places)]
    for done in admin.alter_consumer_group_offsets(request).values():
        done.result()


def committed(bootstrap: str, group: str, topic: str, partitions: Iterable[int]) -> Ends:
    """How far a group has come with a topic."""
    with closing(CommittedOffsets(client_config(bootstrap))) as offsets:
        places = offsets.of(group, [TopicPartition(topic, number) for number in partitions])
    return {place.partition: place.offset for place in places}


class Topic:
    """Measures what is appended to a topic from now on."""

    def __init__(self, bootstrap: str, name: str) -> None:
        self._consumer = Consumer(
            {"bootstrap.servers": bootstrap, "group.id": "bench-measure", "enable.auto.commit": False}
        )
        self.name = name
        partitions = self._consumer.list_topics(name, timeout=10).topics[name].partitions
        self._start = {number: self._end(number) for number in partitions}

    def _end(self, partition: int) -> int:
        return self._consumer.get_watermark_offsets(TopicPartition(self.name, partition), timeout=10)[1]

    def ends(self) -> Ends:
        """Where the next record of each partition will be."""
        return {number: self._end(number) for number in self._start}

    def appended(self) -> int:
        """Records since the beginning of the measurement."""
        return sum(self._end(number) - start for number, start in self._start.items())

    def wait(self, count: int, seconds: float) -> None:
        """Wait until so many were appended."""
        end = time.monotonic() + seconds
        while self.appended() < count:
            if time.monotonic() > end:
                raise TimeoutError(f"{self.name}: {self.appended():,} of {count:,} after {seconds} s")
            time.sleep(0.1)

    def rate(self) -> float:
        """Records per second from the first append to the last, by the broker's clock."""
        first = min(self._time(number, start) for number, start, _ in self._spans())
        return self.appended() / (self.last() - first)

    def last(self) -> float:
        """When the newest record was appended, seconds since the epoch."""
        return max(self._time(number, end - 1) for number, _, end in self._spans())

    def _spans(self) -> list[tuple[int, int, int]]:
        """The partitions that got records, with their starts and ends."""
        spans = [(number, start, self._end(number)) for number, start in self._start.items()]
        return [span for span in spans if span[2] > span[1]]

    def _time(self, partition: int, offset: int) -> float:
        self._consumer.assign([TopicPartition(self.name, partition, offset)])
        message = self._consumer.poll(10)
        if message is None or message.error():
            raise RuntimeError(f"{self.name} {partition} has no record at {offset}")
        return float(message.timestamp()[1]) / 1000

    def close(self) -> None:
        """Leave."""
        self._consumer.close()
