"""What Auditlane says of its operators goes the way of every event."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from kafka_records import records_of

from audit_schemas import own_events
from audit_schemas.event import Event, Target, partition_key
from audit_schemas.own_events import operator, record, record_all
from audit_schemas.topics import CHANGES
from audit_schemas.wire import decode_event
from audit_sinks.errors import Unreachable


def event(account: str) -> Event:
    return Event(
        id=uuid4(),
        account=account,
        occurred_at=datetime.now(UTC),
        action="replay",
        target=Target(type="dead_letter", id="1"),
        actor=operator("ada"),
        module=own_events.MODULE,
    )


def of_account(kafka: str, account: str) -> list[Any]:
    return [
        record
        for record in records_of(kafka, CHANGES.name)
        if (record.key() or b"").startswith(account.encode())
    ]


def test_what_is_recorded_lies_in_kafka_as_a_service_would_have_published_it(stack: Any) -> None:
    told = event(f"own-{uuid4()}")

    record(stack.kafka, told)

    [found] = of_account(stack.kafka, told.account)
    read, unknown = decode_event(found.value())
    assert (read.id, read.occurred_at, read.actor.name, unknown) == (told.id, told.occurred_at, "ada", "")
    assert found.key() == partition_key(told)
    assert ("ce_id", str(told.id).encode()) in found.headers()


def test_several_are_recorded_at_once_in_their_order(stack: Any) -> None:
    first = event(f"own-{uuid4()}")
    second = replace(first, id=uuid4())

    record_all(stack.kafka, [first, second])

    ids = [decode_event(found.value())[0].id for found in of_account(stack.kafka, first.account)]
    assert ids == [first.id, second.id]


def test_what_kafka_does_not_acknowledge_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_events, "_DELIVERY_SECONDS", 1)

    with pytest.raises(Unreachable):
        record("127.0.0.1:1", event("nobody"))
