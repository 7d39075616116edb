"""Watches Kafka beside the work: a worker that has nothing to do would not notice that it is away."""

import threading
import time

from confluent_kafka.admin import AdminClient

from audit_schemas.errors import AuditError
from audit_schemas.health import Health
from audit_stream_processors.kafka import reachable


class KafkaWatch:
    """Asks Kafka now and then whether it is there, in a thread of its own."""

    EVERY = 2.0
    """Seconds between two questions, and to wait for an answer."""

    def __init__(self, admin: AdminClient, health: Health) -> None:
        self._admin = admin
        self._health = health
        threading.Thread(target=self._watch, name="kafka-watch", daemon=True).start()

    def _watch(self) -> None:
        while True:
            time.sleep(self.EVERY)
            try:
                with reachable():
                    self._admin.list_topics(timeout=self.EVERY)
            except AuditError as error:
                self._health.report("kafka", error.message)
            else:
                self._health.report("kafka", None)
