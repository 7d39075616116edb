"""One publishing process: its identity, the numbers of its events, and what it says of itself.

Events are numbered from 1 without a gap in the order in which the delivery took them over, and
records of start, heartbeat and stop carry the newest number: so a missing event can be noticed. They also
carry how many of the events Kafka has acknowledged: so what went with a process that was killed can be
told from what was lost. After a fork the child is another instance; it begins with its first event.
"""

import atexit
import logging
import multiprocessing.util
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal
from weakref import WeakSet

import msgspec

from audit_producers.delivery.base import Delivery, Headers, Record
from audit_producers.errors import Closed, QueueFull
from audit_producers.ids import uuid7
from audit_producers.settings import Settings
from audit_schemas.cloud_events import cloud_event_headers
from audit_schemas.errors import AuditError
from audit_schemas.event import Event, partition_key
from audit_schemas.producer_record import ProducerRecord
from audit_schemas.topics import CHANGES, PRODUCERS

_LOOK_AGAIN_SECONDS = 0.05

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The system's time."""
    return datetime.now(UTC)


class Publisher:
    """Hands events to a delivery, numbered. Its methods may be called from several threads at once.

    Args:
        delivery: takes the records; `close` closes it.
        settings: the service's name, how long a call waits for room, and how often to give a sign of life.
        clock: tells the time of the records of start, heartbeat and stop.
    """

    def __init__(self, delivery: Delivery, settings: Settings, clock: Clock = utc_now) -> None:
        self.service = settings.service
        self.delivery = delivery
        self._settings = settings
        self._clock = clock
        self._begin()
        _publishers.add(self)
        atexit.register(self.end)

    def _begin(self) -> None:
        self.instance = str(uuid7())
        self.sequence = 0
        self._ending = b',"producer":%b,"sequence":' % msgspec.json.encode(
            {"service": self.service, "instance": self.instance}
        ).removesuffix(b"}")
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._has_started = False
        self._accepted_before = self.delivery.stats.accepted

    def publish_event(self, event: Event, body: bytes) -> None:
        """Number an event and hand it on; blocks while the queue is full, up to the limit.

        Args:
            event: the event as it was read from `body`; its `producer` is of no account.
            body: its JSON object without a producer.

        Raises:
            QueueFull: there was no room in time; the event has no number.
            Closed: the publisher was closed.
        """
        key: bytes = partition_key(event)
        headers: Headers = [*cloud_event_headers(event, self.service)]

        def offer() -> None:
            if not self._has_started:
                self._start()
            number = self.sequence + 1
            value = b"%b%b%d}}" % (body[:-1], self._ending, number)
            self.delivery.offer(Record(CHANGES.name, key, value, headers))
            self.sequence = number

        self._offered(offer)

    def publish(self, record: Record) -> None:
        """Hand on a record that is no event; blocks and raises as `publish_event` does."""
        self._offered(lambda: self.delivery.offer(record))

    def close(self, timeout: float | None = None) -> int:
        """Wait for acknowledgements, say that the instance stops, and close the delivery.

        The record of the stop comes last, so that it can say what has been acknowledged.

        Args:
            timeout: seconds to wait for acknowledgements; `exit_seconds` of the settings, unless given.

        Returns:
            How many records were given up.
        """
        atexit.unregister(self.end)
        with self._lock:
            if self._closed.is_set():
                return 0
            self._closed.set()
        end = time.monotonic() + (self._settings.exit_seconds if timeout is None else timeout)
        if self._has_started:
            self._at_end.cancel()
            self.delivery.flush(max(0.0, end - time.monotonic()))
            with suppress(AuditError):  # what is left must be handed back all the same
                self._tell("stop")
        return self.delivery.close(max(0.0, end - time.monotonic()))

    def end(self) -> None:
        """Close, and log what is lost by it; called at the end of the process, unless it was closed."""
        if left := self.close():
            logger.error("%d audit records were not acknowledged and are given up", left)

    def after_fork(self) -> None:
        """Called in the child: another instance, with nothing published yet."""
        was_closed = self._closed.is_set()
        self.delivery.after_fork()
        self._begin()
        if was_closed:
            self._closed.set()

    def _offered(self, offer: Callable[[], None]) -> None:
        deadline = None
        while True:
            try:
                with self._lock:
                    if self._closed.is_set():
                        raise Closed(
                            "the recorder is closed", remedy="record before close(), or make another"
                        )
                    return offer()
            except QueueFull:
                now = time.monotonic()
                deadline = deadline or now + self._settings.block_seconds
                if now >= deadline:
                    self.delivery.stats.refused += 1
                    raise
                self.delivery.wait(min(deadline - now, _LOOK_AGAIN_SECONDS))

    def _start(self) -> None:
        self._tell("start")
        self._has_started = True
        # The children of multiprocessing end without atexit, but not without this.
        self._at_end = multiprocessing.util.Finalize(None, self.end, exitpriority=0)
        threading.Thread(
            target=self._beat, args=(self._closed, self._lock), name="audit-heartbeat", daemon=True
        ).start()

    def _beat(self, closed: threading.Event, lock: threading.Lock) -> None:
        while not closed.wait(self._settings.heartbeat_seconds):
            with lock, suppress(AuditError):
                if not closed.is_set():
                    self._tell("heartbeat")

    def _tell(self, kind: Literal["start", "heartbeat", "stop"]) -> None:
        record = ProducerRecord(
            service=self.service,
            instance=self.instance,
            kind=kind,
            sequence=self.sequence,
            acknowledged=self._acknowledged(),
            at=self._clock(),
        )
        value = record.model_dump_json().encode()
        self.delivery.offer(Record(PRODUCERS.name, self.instance.encode(), value))

    def _acknowledged(self) -> int | None:
        """How many of this instance's events Kafka has acknowledged, rather too few than too many.

        Nothing where somebody else hands events to the same delivery, which counts them together.
        """
        stats = self.delivery.stats
        if stats.accepted - self._accepted_before != self.sequence:
            return None
        return max(0, stats.acknowledged - self._accepted_before)


_publishers: WeakSet[Publisher] = WeakSet()


def _after_fork() -> None:
    for publisher in list(_publishers):
        publisher.after_fork()


os.register_at_fork(after_in_child=_after_fork)
