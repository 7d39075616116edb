"""A bare confluent-kafka loop: what the machine can do without any framework between the topics."""

import sys
import time
import uuid

from confluent_kafka import Consumer, Producer
from work import processed

bootstrap, source, sink, seconds = *sys.argv[1:4], float(sys.argv[4])

consumer = Consumer(
    {
        "bootstrap.servers": bootstrap,
        "group.id": str(uuid.uuid4()),
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "queued.min.messages": 100_000,
    }
)
producer = Producer(
    {
        "bootstrap.servers": bootstrap,
        "linger.ms": 20,
        "compression.type": "zstd",
        "enable.idempotence": True,
        "queue.buffering.max.messages": 500_000,
    }
)
consumer.subscribe([source])
end = time.monotonic() + seconds
while time.monotonic() < end:
    for message in consumer.consume(5000, timeout=1.0):
        value = processed(message.value(), message.partition(), message.offset(), message.timestamp()[1])
        producer.produce(sink, value, key=message.key(), partition=message.partition())
    producer.poll(0)
producer.flush()
consumer.close()
