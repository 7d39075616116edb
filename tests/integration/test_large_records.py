"""The largest record of the ladder through the producer that the workers use, on a real Kafka."""

import os
from typing import Any
from uuid import uuid4

from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from audit_schemas.topics import CONTACT_BATCHES
from audit_stream_processors.delivery import Delivery
from audit_stream_processors.windows import batches


def test_the_largest_contact_batch_is_delivered(servers: Any) -> None:
    name = f"batches-{uuid4()}"
    admin = AdminClient({"bootstrap.servers": servers.kafka})
    admin.create_topics([NewTopic(name, 1, 1, config=CONTACT_BATCHES.config())])[name].result()
    delivery = Delivery(servers.kafka, report=lambda _: None)
    delivery.send(name, os.urandom(batches.LARGEST + 200_000), b"acme/1", 0, [])
    delivery.finish()
