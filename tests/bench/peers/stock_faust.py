"""A stock Faust agent, as its documentation writes one: an event in, an event out."""

import os
import sys
import threading
import time
import uuid

import faust
from work import processed

bootstrap, source, sink, seconds = *sys.argv[1:4], float(sys.argv[4])

app = faust.App(
    f"bench-{uuid.uuid4()}",
    broker=f"kafka://{bootstrap}",
    value_serializer="raw",
    store="memory://",
    topic_disable_leader=True,
    web_enabled=False,
    stream_buffer_maxsize=16384,
    stream_wait_empty=False,
    producer_linger=0.02,
    producer_max_batch_size=1 << 20,
    producer_compression_type="zstd",
    consumer_max_fetch_size=8 << 20,
    broker_max_poll_records=5000,
    consumer_auto_offset_reset="earliest",
)
changes = app.topic(source, value_type=bytes, key_type=bytes, partitions=4, internal=False)
events = app.topic(sink, value_type=bytes, key_type=bytes, partitions=4)


@app.agent(changes, concurrency=1)
async def enrich(stream):
    async for event in stream.events():
        message = event.message
        value = processed(event.value, message.partition, message.offset, int(message.timestamp * 1000))
        await events.send(key=event.key, value=value, partition=message.partition)


def leave() -> None:
    time.sleep(seconds)
    os._exit(0)


threading.Thread(target=leave, daemon=True).start()
sys.argv[1:] = ["worker", "-l", "error", "--without-web"]
app.main()
