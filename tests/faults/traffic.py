"""Services that go on publishing while things break: contact changes, resends, history and all else."""

import json
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any, Self
from uuid import UUID, uuid4

from audit_producers import Settings
from audit_producers.delivery.base import Record
from audit_producers.delivery.kafka import KafkaDelivery
from audit_producers.ids import uuid7
from audit_producers.lifecycle import Publisher
from audit_schemas.topics import CHANGES
from audit_schemas.validation import read_draft


@dataclass(frozen=True)
class Mix:
    """What is published: the rest of the shares are live contact changes."""

    rate: int = 400
    """Events a second; 0 for none but those that the case itself publishes."""
    accounts: int = 3
    contacts: int = 60
    """Of each account; the first of them gets a third of the changes."""
    others: float = 0.2
    backfill: float = 0.05
    resends: float = 0.1
    """Any earlier event again, with its id: mostly in a later window than the first time."""


class Traffic:
    """Publishes at a steady rate, as the SDK does, until the block ends; then all is acknowledged."""

    def __init__(self, kafka: str, choose: Random, mix: Mix) -> None:
        self.account = f"faults-{uuid4().hex[:8]}"
        """The beginning of the accounts' names: nobody else's."""
        self.order: list[UUID] = []
        """Every event that was published, in the order of the first times."""
        self.poison: set[bytes] = set()
        """What was published beside them and is no event."""
        self.acknowledged = 0
        """How many records Kafka has taken; known when the block is over."""
        # Its own thread draws: choices shared with the attack would come in another order each time.
        self._choose, self._mix = Random(choose.random()), mix
        self._sent: list[bytes] = []
        self._poisoned = 0
        self._delivery = KafkaDelivery(Settings(service="helpdesk", kafka=kafka))
        self._publisher = Publisher(self._delivery, Settings(service="helpdesk", block_seconds=120))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._publish)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        left, stats = self._delivery.flush(120), self._delivery.stats
        self._publisher.close()
        self.acknowledged = stats.acknowledged
        assert (left, stats.undelivered, stats.acknowledged) == (0, 0, len(self._sent) + self._poisoned)

    @property
    def ids(self) -> set[UUID]:
        """Every event that was published."""
        return set(self.order)

    def publish(self, body: bytes) -> UUID:
        """Publish one event now, beside the others; its account begins with `account`."""
        event = read_draft(body)
        self._publisher.publish_event(event, body)
        self.order.append(event.id)
        self._sent.append(body)
        return event.id

    def publish_poison(self, value: bytes, key: bytes) -> None:
        """Publish what is no event, by the SDK's own delivery: it must become a dead letter."""
        self.poison.add(value)
        self._publisher.publish(Record(CHANGES.name, key, value, []))
        self._poisoned += 1

    def _publish(self) -> None:
        began, rate = time.monotonic(), self._mix.rate
        for number in count() if rate else ():
            if self._stopping.wait(max(0.0, began + number / rate - time.monotonic())):
                return
            drawn = self._choose.random()
            if self._sent and drawn < self._mix.resends:
                body = self._choose.choice(self._sent)
                self._publisher.publish_event(read_draft(body), body)
                self._sent.append(body)
            else:
                self.publish(self._next(drawn - self._mix.resends))

    def _next(self, drawn: float) -> bytes:
        if drawn < self._mix.backfill:
            return self._event("contact", recorded="backfill", age=timedelta(days=900))
        return self._event("smart_rule" if drawn < self._mix.backfill + self._mix.others else "contact")

    def _event(self, kind: str, *, recorded: str = "live", age: timedelta = timedelta()) -> bytes:
        account = self._choose.randrange(self._mix.accounts)
        busy = self._choose.random() < 1 / 3
        target = 0 if busy else self._choose.randrange(self._mix.contacts)
        return event_body(
            account=f"{self.account}-{account}",
            occurred_at=(datetime.now(UTC) - age).isoformat(),
            target={"type": kind, "id": str(target)},
            recorded=recorded,
            changes=[{"field": "phone", "new": f"+1 555 {len(self._sent)}"}],
        )


def event_body(**fields: Any) -> bytes:
    """An update by an agent as JSON, without a producer."""
    actor = {"type": "agent", "id": "7", "name": "Ada"}
    return json.dumps({"id": str(uuid7()), "action": "update", "actor": actor, **fields}).encode()
