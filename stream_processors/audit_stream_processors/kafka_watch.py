"""Watches Kafka beside the work: a worker would not notice by itself that it is away, or another one.

A consumer that runs while a topic is made anew reads on in the new one, from the old one's offset. What it
commits until it is stopped here carries the old topic's id, and the next start refuses it.
"""

import threading
import time
from collections.abc import Mapping

from confluent_kafka.admin import AdminClient

from audit_schemas.errors import AuditError
from audit_schemas.health import Health
from audit_stream_processors.kafka import reachable
from audit_stream_processors.topics_admin import ids_of
from audit_stream_processors.transport import leave


class KafkaWatch:
    """Asks Kafka now and then whether it and its topics are there, in a thread of its own."""

    EVERY = 2.0
    """Seconds between two questions, and to wait for an answer."""

    def __init__(self, admin: AdminClient, health: Health, topic_ids: Mapping[str, str]) -> None:
        self._admin = admin
        self._topic_ids = topic_ids
        self._health = health
        threading.Thread(target=self._watch, name="kafka-watch", daemon=True).start()

    def _watch(self) -> None:
        while True:
            time.sleep(self.EVERY)
            try:
                with reachable():
                    found = ids_of(self._admin, list(self._topic_ids), self.EVERY)
            except AuditError as error:
                self._health.report("kafka", error.message)
            else:
                self._health.report("kafka", None)
                if anew := [name for name, topic_id in self._topic_ids.items() if found[name] != topic_id]:
                    leave(
                        f"{', '.join(anew)} was made anew while this worker ran",
                        remedy="start it again: it says how to go on",
                    )
