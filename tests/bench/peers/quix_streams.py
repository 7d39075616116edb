"""Quix Streams: the nearest peer, a streaming library for Python on confluent-kafka."""

import os
import sys
import threading
import time
import uuid

from quixstreams import Application
from work import processed

bootstrap, source, sink, seconds = *sys.argv[1:4], float(sys.argv[4])

app = Application(
    broker_address=bootstrap,
    consumer_group=str(uuid.uuid4()),
    auto_offset_reset="earliest",
    commit_every=5000,
    loglevel="ERROR",
    producer_extra_config={"linger.ms": 20, "compression.type": "zstd", "enable.idempotence": True},
)
changes = app.topic(source, value_deserializer="bytes", key_deserializer="bytes")
events = app.topic(sink, value_serializer="bytes", key_serializer="bytes")
frame = app.dataframe(changes)
frame.apply(
    lambda value, _key, timestamp, _headers: processed(value, 0, 0, timestamp), metadata=True
).to_topic(events)


def leave() -> None:
    time.sleep(seconds)
    os._exit(0)


threading.Thread(target=leave, daemon=True).start()
app.run()
