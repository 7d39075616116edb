"""Publishing while things break, and comparing what was acknowledged with what is stored."""

import threading
import time
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from clickhouse_driver import Client
from clickhouse_driver.errors import Error

from audit_producers import Actor, Recorder, Settings, Target
from audit_schemas.settings import ClickHouse


@dataclass
class Publisher:
    """A service that records events at a steady rate until it is told to stop."""

    kafka: str
    rate: int
    ids: list[UUID] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._recorder = Recorder(Settings(service="helpdesk", kafka=self.kafka, block_seconds=120))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._publish)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and wait until every event is acknowledged."""
        self._stopping.set()
        self._thread.join()
        left, stats = self._recorder.flush(120), self._recorder.stats
        self._recorder.close()
        assert (left, stats.undelivered, stats.rejected) == (0, 0, 0)
        assert stats.acknowledged == len(self.ids)

    def _publish(self) -> None:
        began = time.monotonic()
        while not self._stopping.wait(max(0.0, began + len(self.ids) / self.rate - time.monotonic())):
            self.ids.append(self._record(len(self.ids)))

    def _record(self, number: int) -> UUID:
        kind = "contact" if number % 4 == 0 else "smart_rule"
        recorded = self._recorder.record(
            "update",
            Target(type=kind, id=str(number % 50)),
            account=f"account-{number % 3}",
            actor=Actor.agent("7", name="Ada"),
        )
        assert recorded is not None
        return recorded


def stored(clickhouse: str) -> dict[UUID, int]:
    """Event ids in the log, and how often each is there."""
    server = ClickHouse.from_url(clickhouse)
    password = server.password.get_secret_value()
    with Client(server.host, server.port, server.database, server.user, password) as client:
        return dict(client.execute("SELECT event_id, count() FROM audit_log GROUP BY event_id"))


def wait_until_stored(clickhouse: str, ids: list[UUID], seconds: float = 120) -> dict[UUID, int]:
    """Wait until these events are there, or the time is over; returns all that are."""
    end = time.monotonic() + seconds
    found: dict[UUID, int] = {}
    while time.monotonic() < end and not found.keys() >= set(ids):
        time.sleep(0.5)
        try:
            found = stored(clickhouse)
        except (Error, OSError):
            continue  # it is being killed or started
    return found
