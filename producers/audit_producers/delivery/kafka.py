"""Delivery to Kafka: idempotent, acknowledged by all replicas, through a queue with a bound.

librdkafka's own queue is the bound. A thread of ours serves its delivery reports, so that room is
made even when the service records nothing more.
"""

import ctypes
import logging
import threading
import time
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from audit_producers.delivery.base import OnUndelivered, Record, Stats
from audit_producers.errors import QueueFull
from audit_producers.settings import Settings
from audit_schemas.errors import AuditError, Invalid, Misconfigured, Unreachable
from audit_schemas.topics import CHANGES

logger = logging.getLogger(__name__)

_PURGED = {KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT}  # noqa: SLF001 - their public names
"""Given up by `close`, whose caller is told how many."""
_POLL_SECONDS = 0.1
_LOG_AGAIN_SECONDS = 30.0
_AWAY = "away"
_NO_ROOM = "the queue of events is full: {waiting:,} wait for Kafka at {kafka}{reason}"


class KafkaDelivery:
    """Hands records to librdkafka, which is started with the first of them.

    Args:
        settings: where Kafka is, and how long and how large the queue may be.
        on_undelivered: is handed each record that was given up.
    """

    def __init__(self, settings: Settings, on_undelivered: OnUndelivered | None = None) -> None:
        self.stats = Stats()
        self._settings = settings
        self._on_undelivered = on_undelivered
        self._begin()

    def _begin(self) -> None:
        self._client: Producer | None = None
        self._starting = threading.Lock()
        self._room = threading.Condition()
        self._waiting = 0
        self._stopped = threading.Event()
        self._trouble = ""
        self._logged: dict[str, float] = {}

    def check(self, timeout: float) -> None:
        """Ask Kafka for the topic of the events."""
        try:
            topics = self._started().list_topics(CHANGES.name, timeout=timeout).topics
        except KafkaException as error:
            reason = self._trouble or error.args[0].str()
            raise Unreachable(f"Kafka at {self._settings.kafka} does not answer: {reason}") from None
        if topics[CHANGES.name].error is not None:
            raise Misconfigured(
                f"the topic {CHANGES.name} is not there", remedy="make it with: audit topics apply"
            )

    def offer(self, record: Record) -> None:
        """Put the record into the queue."""
        client = self._client or self._started()
        try:
            client.produce(
                record.topic,
                value=record.value,
                key=record.key,
                headers=record.headers,
                on_delivery=self._report,
            )
        except BufferError:
            raise self._full(client) from None
        except KafkaException as error:
            raise _refusal(error.args[0]) from None
        self.stats.accepted += record.is_event

    def wait(self, timeout: float) -> None:
        """Wait for the next delivery report."""
        with self._room:
            self._waiting += 1
            self._room.wait(timeout)
            self._waiting -= 1

    def flush(self, timeout: float) -> int:
        """Send without lingering and wait for the acknowledgements."""
        return self._client.flush(timeout) if self._client else 0

    def close(self, timeout: float) -> int:
        """Flush, give up the rest, and end the thread."""
        client = self._client
        if client is None:
            return 0
        left = client.flush(timeout)
        if left:
            client.purge()
            client.flush(10.0)  # serves the reports of what was given up
        self._stopped.set()
        return left

    def after_fork(self) -> None:
        """Leave the parent's client alone for good: its threads are not in the child.

        Even freeing it would wait for them, so that its reference is never given back.
        """
        if self._client is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._client))
        self.stats = Stats()
        self._begin()

    def _started(self) -> Producer:
        with self._starting:
            if self._client is None:
                self._client = Producer(self._configuration(), logger=logger)
                threading.Thread(
                    target=_serve, args=(self._client, self._stopped), name="audit-delivery", daemon=True
                ).start()
            return self._client

    def _configuration(self) -> dict[str, Any]:
        settings = self._settings
        return {
            **settings.librdkafka(),
            "client.id": f"audit-{settings.service}",
            "enable.idempotence": True,
            "acks": "all",
            "compression.type": "zstd",
            "linger.ms": 20,
            "partitioner": "murmur2_random",
            "queue.buffering.max.messages": settings.queue_events,
            "queue.buffering.max.kbytes": settings.queue_bytes // 1024,
            "message.timeout.ms": round(settings.delivery_seconds * 1000),
            "reconnect.backoff.max.ms": 2000,
            "log_level": 2,  # what matters comes through error_cb
            "error_cb": self._complain,
        }

    def _report(self, error: KafkaError | None, message: Message) -> None:
        is_event = message.topic() == CHANGES.name
        with self._room:
            if error is None:
                self.stats.acknowledged += is_event
            else:
                self.stats.undelivered += is_event
            if self._waiting:
                self._room.notify_all()
        if error is not None:
            self._give_up(error, message)
        elif self._trouble:
            self._recover()

    def _give_up(self, error: KafkaError, message: Message) -> None:
        record = Record(message.topic() or "", message.key() or b"", message.value() or b"")
        if error.code() not in _PURGED and self._is_news(error.str()):
            logger.error("records were not delivered: %s (a record for %s)", error.str(), record.topic)
        if self._on_undelivered:
            try:
                self._on_undelivered(record, error.str())
            except Exception:  # the service's own code; the reports after this one must be served
                logger.exception("on_undelivered failed")

    def _complain(self, error: KafkaError) -> None:
        """Log why Kafka does not answer, when somebody waits for it."""
        self._trouble = error.str()
        waiting = len(self._client) if self._client else 0
        if waiting and self._is_news(_AWAY):
            logger.warning("Kafka at %s: %s; %s records wait", self._settings.kafka, self._trouble, waiting)

    def _recover(self) -> None:
        self._trouble = ""
        if self._logged.pop(_AWAY, None) is not None:
            logger.warning("Kafka at %s is back", self._settings.kafka)

    def _is_news(self, reason: str) -> bool:
        """Whether a reason was not logged a moment ago: a flood of one kind is one line now and again."""
        now = time.monotonic()
        if now - self._logged.get(reason, -_LOG_AGAIN_SECONDS) < _LOG_AGAIN_SECONDS:
            return False
        self._logged[reason] = now
        return True

    def _full(self, client: Producer) -> QueueFull:
        reason = f" ({self._trouble})" if self._trouble else ""
        return QueueFull(
            _NO_ROOM.format(waiting=len(client), kafka=self._settings.kafka, reason=reason),
            remedy="slow down, wait longer (AUDIT_BLOCK_SECONDS), or make more room (AUDIT_QUEUE_EVENTS)",
        )


def _refusal(error: KafkaError) -> AuditError:
    if error.fatal():
        return Unreachable(
            f"Kafka's client has failed for good: {error.str()}",
            remedy="restart the process; close() hands what was not acknowledged to on_undelivered",
        )
    return Invalid(f"Kafka's client refuses the record: {error.str()}")


def _serve(client: Producer, stopped: threading.Event) -> None:
    """Serve delivery reports until the delivery is closed."""
    while not stopped.is_set():
        client.poll(_POLL_SECONDS)
