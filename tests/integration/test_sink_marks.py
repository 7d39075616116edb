"""Marks behind the rows that they stand for, and how far the log is complete. No Kafka, no worker."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sinking
from enriching import message

from audit_schemas import topics
from audit_schemas.mark import Mark
from audit_schemas.settings import ClickHouse
from audit_schemas.wire import encode
from audit_sinks.batches import Batch, Place, Refusal
from audit_sinks.clickhouse import connect, query
from audit_sinks.errors import Misconfigured, Unreachable
from audit_sinks.insertion import Inserter
from audit_sinks.reading import outcome
from audit_sinks.tables import FEEDS

PLACE = Place(topics.EVENTS.name, 1)
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=7)
"""Of last week: marks are kept for sixty days."""
BAD = b"no event"


def mark(offset: int, *, partition: int = 1, partitions: int = 2, at: datetime = NOON) -> bytes:
    """A mark as it lies in audit.events."""
    return (
        Mark(partition=partition, partitions=partitions, offset=offset, received_at=at)
        .model_dump_json()
        .encode()
    )


def block(*values: bytes, first: int = 0) -> Batch:
    """What lies in a partition from an offset on."""
    batch = Batch(first, first)
    for offset, value in enumerate(values, first):
        batch.add(offset, outcome(PLACE.topic, offset, value, offset))
    return batch


@pytest.fixture
def client(clickhouse: ClickHouse) -> Iterator[Any]:
    with connect(clickhouse) as client:
        for table in ("audit_events", "partition_marks", "producer_records"):
            client.execute(f"TRUNCATE TABLE {table}")
        yield client


@pytest.fixture
def insert(clickhouse: ClickHouse) -> Callable[..., None]:
    def insert(batch: Batch, *, topic_id: str = "t", limit: int = 100, **hooks: Callable[..., None]) -> None:
        refuse = hooks.pop("refuse", lambda _: None)
        inserter = Inserter(clickhouse, refuse=refuse, report=lambda _: None, refusal_limit=limit, **hooks)
        with closing(inserter):
            inserter.insert(FEEDS[PLACE.topic], topic_id, PLACE, batch)

    return insert


def counts(client: Any) -> tuple[int, int]:
    """Rows of events and of marks, before any merging."""
    (found,) = client.execute(
        "SELECT (SELECT count() FROM audit_events), (SELECT count() FROM partition_marks)"
    )
    return int(found[0]), int(found[1])


def completeness(client: Any) -> tuple[Any, ...]:
    (found,) = client.execute("SELECT complete_through, partitions, slowest_partition FROM completeness")
    return tuple(found)


def test_marks_come_when_the_rows_of_their_batch_are_stored_and_its_refusals_are_kept(
    client: Any, insert: Callable[..., None]
) -> None:
    seen: list[tuple[str, tuple[int, int]]] = []
    kept: list[Refusal] = []

    def refuse(refusals: Sequence[Refusal]) -> None:
        seen.append(("refusing", counts(client)))
        if len(seen) == 1:
            raise Unreachable("dead letters are not acknowledged")
        kept.extend(refusals)

    def between() -> None:
        seen.append((f"{len(kept)} kept", counts(client)))

    insert(block(mark(1), message(1), BAD, mark(2), message(2)), refuse=refuse, between=between)
    assert seen == [("refusing", (2, 0)), ("refusing", (2, 0)), ("1 kept", (2, 0))]
    assert counts(client) == (2, 2)


def test_a_batch_of_nothing_but_marks_is_stored_once_however_often_it_is_repeated(
    client: Any, insert: Callable[..., None]
) -> None:
    between: list[int] = []
    for _ in range(2):
        insert(block(mark(1), mark(2, at=NOON + timedelta(seconds=5))), between=lambda: between.append(1))
        assert counts(client) == (0, 2)
    assert not between
    assert query(client, "SELECT partition, partitions, offset, received_at FROM partition_marks") == [
        {"partition": 1, "partitions": 2, "offset": 1, "received_at": NOON},
        {"partition": 1, "partitions": 2, "offset": 2, "received_at": NOON + timedelta(seconds=5)},
    ]


def test_a_mark_that_the_server_refuses_is_a_dead_letter_and_the_others_are_stored(
    client: Any, insert: Callable[..., None]
) -> None:
    kept: list[Refusal] = []
    insert(block(mark(1), mark(2, partition=7), message(3), mark(4)), refuse=kept.extend)
    assert [refusal.offset for refusal in kept] == [1]
    assert counts(client) == (1, 2)


def test_records_that_are_refused_no_longer_are_stored_although_their_block_was_inserted_before(
    client: Any, insert: Callable[..., None]
) -> None:
    """A sink that stopped at its limit is updated, and repeats the block: its token must not be the same."""
    before = block(message(1), BAD, message(3))
    insert(before)
    assert counts(client) == (2, 0)
    insert(block(message(1), message(2), message(3)))
    assert query(client, "SELECT producer_sequence FROM audit_log ORDER BY producer_sequence") == [
        {"producer_sequence": number} for number in (1, 2, 3)
    ]


def test_past_the_limit_nothing_of_a_block_is_passed(client: Any, insert: Callable[..., None]) -> None:
    kept: list[Refusal] = []
    old = message(9, occurred_at=datetime(1970, 1, 1, tzinfo=UTC))
    for values in ([BAD, BAD, BAD, mark(3)], [old, BAD, old, mark(3)]):
        with pytest.raises(Misconfigured, match="3 records in a row or of one block"):
            insert(block(*values), limit=2, refuse=kept.extend)
    assert (kept, counts(client)) == ([], (0, 0))


def test_the_log_is_complete_through_the_newest_mark_of_the_slowest_partition(
    client: Any, insert: Callable[..., None]
) -> None:
    assert completeness(client) == (None, 0, None)
    later = NOON + timedelta(minutes=1)
    insert(block(mark(1, partition=0, at=later), mark(2, partition=0)))
    assert completeness(client) == (None, 2, 1)
    insert(block(mark(3, at=NOON - timedelta(minutes=1)), mark(4), first=10))
    assert completeness(client) == (NOON, 2, 1)
    insert(block(mark(5, at=later + timedelta(microseconds=1)), first=20))
    assert completeness(client) == (later, 2, 0)


def test_a_topic_that_grew_is_complete_when_its_new_partitions_have_marks(
    client: Any, insert: Callable[..., None]
) -> None:
    times = [NOON + timedelta(minutes=number) for number in range(3)]
    insert(block(*(mark(1, partition=number, at=times[0]) for number in range(2))))
    assert completeness(client) == (times[0], 2, 0)
    insert(block(mark(2, partition=0, partitions=4, at=times[1]), first=10))
    assert completeness(client) == (None, 4, 2)
    insert(block(*(mark(1, partition=number, partitions=4, at=times[2]) for number in (2, 3)), first=20))
    assert completeness(client) == (times[0], 4, 1)


def test_partitions_that_the_topic_has_no_longer_do_not_hold_the_log_back(
    client: Any, insert: Callable[..., None]
) -> None:
    insert(block(*(mark(1, partition=number, partitions=4) for number in range(4))))
    later = NOON + timedelta(days=1)
    insert(block(*(mark(1, partition=number, at=later) for number in range(2)), first=10))
    assert completeness(client) == (later, 2, 0)


def test_how_complete_the_log_is_is_known_without_reading_the_marks(client: Any) -> None:
    client.execute(
        "INSERT INTO partition_marks (partition, partitions, offset, received_at) "
        "SELECT modulo(number, 4), 4, number, toDateTime64(%(noon)s, 6, 'UTC') + number FROM numbers(200000)",
        {"noon": NOON},
    )
    assert completeness(client)[1:] == (4, 0)
    assert client.last_query.progress.rows < 100


def test_what_a_producer_says_was_acknowledged_is_stored_and_null_where_it_does_not_say(
    client: Any, clickhouse: ClickHouse
) -> None:
    record = {"service": "s", "instance": "i", "kind": "stop", "sequence": 9, "at": NOON}
    said = [encode(record), encode({**record, "instance": "j", "acknowledged": 0})]
    read = [outcome(topics.PRODUCERS.name, 0, value, None) for value in said]
    assert not sinking.insert(clickhouse, topics.PRODUCERS.name, *(row.payload for row in read))
    assert query(client, "SELECT instance, acknowledged FROM producer_records ORDER BY instance") == [
        {"instance": "i", "acknowledged": None},
        {"instance": "j", "acknowledged": 0},
    ]
