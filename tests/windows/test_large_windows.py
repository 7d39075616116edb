"""A window may be as large as it likes: the worker's memory is bounded by its parts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from confluent_kafka import Producer

from audit_producers.ids import uuid7
from audit_schemas.topics import CHANGES

from .rig import Rig
from .traffic import event_body

CHANGES_OF_A_WINDOW = 300_000
MEMORY = 400 * 2**20


def publish(rig: Rig, account: str, contact_of: Callable[[int], str]) -> set[UUID]:
    producer = Producer(
        {
            "bootstrap.servers": rig.stack.kafka,
            "enable.idempotence": True,
            "linger.ms": 20,
            "queue.buffering.max.messages": 10**6,
            "log_level": 2,
        }
    )
    ids = set()
    for number in range(CHANGES_OF_A_WINDOW):
        id_, contact = uuid7(), contact_of(number)
        body = event_body(
            id=str(id_),
            account=account,
            occurred_at=datetime.now(UTC).isoformat(),
            target={"type": "contact", "id": contact},
        )
        producer.produce(CHANGES.name, body, f"{account}/contact/{contact}".encode())
        producer.poll(0)
        ids.add(id_)
    assert producer.flush(60) == 0
    return ids


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("contact_of", [lambda _: "1", str], ids=["one contact", "as many contacts"])
def test_a_window_of_300_000_changes_is_closed_in_little_memory(
    rig: Rig, contact_of: Callable[[int], str]
) -> None:
    rig = replace(rig, length=30)
    account = f"large-{uuid4().hex[:8]}"
    rig.near_boundary(0.0, 0.1)
    rig.processor()
    windows = rig.windows().until_ready()
    published = publish(rig, account, contact_of)
    found = rig.judge.found(account)
    peak = windows.peak_memory()
    print(f"peak memory of the window worker: {peak / 2**20:.0f} MiB, {len(found.batches):,} batches")
    assert rig.crew.fallen() == []
    assert found.faults(published, [rig.length]) == {}
    assert len({batch.span for batch in found.batches}) == 1
    assert peak < MEMORY
