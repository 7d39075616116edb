"""Why the worker is not ready, gathered from its parts, for /healthz and /readyz."""

import threading
import time

import structlog
from confluent_kafka.admin import AdminClient

from audit_schemas.errors import AuditError
from audit_stream_processors.kafka import reachable

_log = structlog.get_logger(__name__)

STILL = 60.0
"""Seconds without a beat of the event loop after which the worker counts as dead."""


class Health:
    """The reasons to wait, by the part that waits; written and read by any thread."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {"start": "starting"}
        self._beat = time.monotonic()

    def report(self, part: str, reason: str | None) -> None:
        """A part waits for a reason, or no longer; a change is logged."""
        was = self._reasons.get(part)
        if reason is None:
            self._reasons.pop(part, None)
        else:
            self._reasons[part] = reason
        if was is None and reason is not None:
            _log.warning("waiting", part=part, reason=reason)
        elif was is not None and reason is None:
            _log.info("going on", part=part)

    def beat(self) -> None:
        """The event loop is alive."""
        self._beat = time.monotonic()

    def ready(self) -> str | None:
        """What the worker waits for."""
        return "; ".join(self._reasons.values()) or None

    def alive(self) -> str | None:
        """Whether it stands still."""
        still = time.monotonic() - self._beat
        return f"the event loop has not moved for {still:.0f} s" if still > STILL else None


class KafkaWatch:
    """Asks Kafka now and then whether it is there: a worker without work would not notice."""

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
