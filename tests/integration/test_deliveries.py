"""One contract for all deliveries: the fakes behave as the real one does."""

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from kafka_records import records_of

from audit_producers.delivery import ConsoleDelivery, Delivery, KafkaDelivery, MemoryDelivery, Record
from audit_producers.delivery.console import line_of
from audit_producers.settings import Settings
from audit_schemas.cloud_events import cloud_event_headers
from audit_schemas.event import Event, Target, partition_key
from audit_schemas.topics import CHANGES, PRODUCERS
from audit_schemas.wire import encode


@dataclass
class Case:
    """A delivery, and what has arrived through it, one line a record."""

    delivery: Delivery
    arrived: Callable[[], list[str]]
    account: str

    def record(self, contact: str = "1", reason: str = "") -> Record:
        event = Event(
            id=uuid4(),
            account=self.account,
            occurred_at=datetime.now(UTC),
            action="update",
            target=Target(type="contact", id=contact, name=reason),
        )
        headers = [*cloud_event_headers(event, "contract")]
        return Record(CHANGES.name, partition_key(event), encode(event), headers)


@pytest.fixture(params=["kafka", "console", "memory"])
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    account = f"acme-{uuid4()}"
    delivery: Delivery
    if request.param == "memory":
        delivery = memory = MemoryDelivery()
        made = Case(delivery, lambda: [line_of(record) for record in memory.records], account)
    elif request.param == "console":
        text = io.StringIO()
        delivery = ConsoleDelivery(text)
        made = Case(delivery, lambda: text.getvalue().splitlines(), account)
    else:
        kafka = request.getfixturevalue("stack").kafka
        delivery = KafkaDelivery(Settings(service="contract", kafka=kafka))
        made = Case(delivery, lambda: _lines(kafka, account), account)
    yield made
    delivery.close(10)


def _lines(kafka: str, account: str) -> list[str]:
    return [
        line_of(Record(CHANGES.name, message.key(), message.value()))
        for message in records_of(kafka, CHANGES.name)
        if message.key().startswith(account.encode())
    ]


def test_it_can_be_checked(case: Case):
    case.delivery.check(10)


def test_what_is_offered_arrives_once_and_in_order(case: Case):
    records = [case.record(reason=str(number)) for number in range(100)]
    for record in records:
        case.delivery.offer(record)

    assert case.delivery.flush(10) == 0
    assert case.arrived() == [line_of(record) for record in records]


def test_events_are_counted_and_other_records_are_not(case: Case):
    case.delivery.offer(Record(PRODUCERS.name, b"instance", b"{}"))
    case.delivery.offer(case.record())
    case.delivery.flush(10)

    stats = case.delivery.stats
    assert (stats.accepted, stats.acknowledged, stats.undelivered) == (1, 1, 0)


def test_threads_do_not_disturb_each_other(case: Case):
    def work(contact: str) -> None:
        for number in range(100):
            case.delivery.offer(case.record(contact, str(number)))

    threads = [threading.Thread(target=work, args=(str(contact),)) for contact in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    case.delivery.flush(10)

    arrived = case.arrived()
    assert len(arrived) == 400
    for contact in range(4):
        of_one = [line.rsplit("(")[1].rstrip(")") for line in arrived if f"contact {contact} " in line]
        assert of_one == [str(number) for number in range(100)]


def test_flush_and_close_of_nothing_leave_nothing(case: Case):
    assert case.delivery.flush(0) == 0
    assert case.delivery.close(0) == 0


def test_close_delivers_what_is_left(case: Case):
    case.delivery.offer(case.record())

    assert case.delivery.close(10) == 0
    assert len(case.arrived()) == 1


def test_waiting_for_room_ends(case: Case):
    case.delivery.wait(0.01)
