"""From a service's call to the answer of a query, at a steady rate, with all workers running."""

import threading
import time
from datetime import UTC, datetime

from clickhouse_driver import Client
from results import Result

from audit_producers import Actor, Recorder, Settings
from audit_schemas import Target
from audit_schemas.settings import ClickHouse

_POLL_SECONDS = 0.02
BOUND_SECONDS = 1.5


def measure(kafka: str, clickhouse: str, *, rate: int, seconds: int) -> list[Result]:
    """Publish through the SDK, and ask ClickHouse every 20 ms which events are there."""
    published: dict[str, float] = {}
    publisher = threading.Thread(target=_publish, args=(kafka, published, rate, rate * seconds))
    seen = _Seen(clickhouse)
    publisher.start()
    while publisher.is_alive() or len(seen.times) < len(published):
        seen.look()
        time.sleep(_POLL_SECONDS)
    delays = sorted(seen.times[name] - at for name, at in published.items())
    return [
        Result(name=f"publish to query at {rate:,}/s, median", value=delays[len(delays) // 2], unit="s"),
        Result(
            name=f"publish to query at {rate:,}/s, p99",
            value=delays[len(delays) * 99 // 100],
            unit="s",
            limit_value=BOUND_SECONDS,
        ),
    ]


def _publish(kafka: str, published: dict[str, float], rate: int, count: int) -> None:
    recorder = Recorder(Settings(service="bench", kafka=kafka))
    began = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        at = time.monotonic()
        event = recorder.record(
            "update",
            target=Target(type="smart_rule", id=str(number % 500)),
            account="latency",
            actor=Actor.agent("7", name="Ada"),
        )
        published[str(event)] = at
    recorder.close()


class _Seen:
    """When each event was first in an answer."""

    def __init__(self, clickhouse: str) -> None:
        server = ClickHouse.from_url(clickhouse)
        password = server.password.get_secret_value()
        self._client = Client(server.host, server.port, server.database, server.user, password)
        self._since = datetime.now(UTC)
        self.times: dict[str, float] = {}

    def look(self) -> None:
        """Ask for what was stored lately."""
        rows = self._client.execute(
            "SELECT toString(event_id), stored_at FROM audit_events "
            "WHERE account_id = 'latency' AND stored_at >= %(since)s - INTERVAL 3 SECOND",
            {"since": self._since},
        )
        now = time.monotonic()
        for name, stored_at in rows:
            self.times.setdefault(name, now)
            self._since = max(self._since, stored_at)
