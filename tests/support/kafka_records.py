"""Reading a topic from its beginning to its end, as tests look at what was published."""

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition


def records_of(bootstrap: str, topic: str) -> list[Message]:
    """All records of a topic, those of one partition in their order."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "tests", "enable.partition.eof": True})
    try:
        unread = set(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in unread])
        found = []
        while unread:
            message = consumer.poll(10)
            assert message is not None, "Kafka does not answer"
            error = message.error()
            if error is None:
                found.append(message)
            else:
                assert error.code() == KafkaError._PARTITION_EOF, error
                unread.discard(message.partition())
        return found
    finally:
        consumer.close()
