"""What ClickHouse itself does with a block: strictness, tokens, versions. No Kafka, no worker."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sinking
from enriching import START, enriched, message

from audit_schemas.enriched import EnrichedChange
from audit_schemas.settings import ClickHouse
from audit_schemas.wire import encode
from audit_sinks import migrations
from audit_sinks.batches import Refusal
from audit_sinks.clickhouse import connect, explained, query
from audit_sinks.errors import MigrationChanged, Misconfigured, RowRefused, Unreachable
from audit_sinks.event_feeds import EVENTS
from audit_sinks.payloads import read_event

DATABASE = "sink_insertion"


@pytest.fixture(scope="module")
def clickhouse(servers: Any) -> Iterator[ClickHouse]:
    with sinking.database(servers.clickhouse, DATABASE) as clickhouse:
        yield clickhouse


@pytest.fixture
def client(clickhouse: ClickHouse) -> Iterator[Any]:
    with connect(clickhouse) as client:
        client.execute("TRUNCATE TABLE audit_events")
        yield client


@pytest.fixture
def insert(clickhouse: ClickHouse) -> Callable[..., list[Refusal]]:
    return partial(sinking.insert, clickhouse, EVENTS.topic)


def count(client: Any, table: str = "audit_events") -> int:
    return int(client.execute(f"SELECT count() FROM {table}")[0][0])


def without(name: str) -> bytes:
    return encode({key: value for key, value in json.loads(message()).items() if key != name})


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{}", id="blank row"),
        pytest.param(message()[:-1], id="missing bytes"),
        pytest.param(message() + b"}", id="trailing bytes"),
        pytest.param(message().replace(b"Ada", b"\xff"), id="no UTF-8"),
        pytest.param(message().replace(b"Ada", rb"\ud800"), id="lone surrogate"),
        pytest.param(message().replace(b'"catalogue_version":1', b'"catalogue_version":NaN'), id="NaN"),
        pytest.param(message().replace(b'"catalogue_version":1', b'"catalogue_version":1e400'), id="1e400"),
        pytest.param(without("id"), id="missing id"),
        pytest.param(without("account"), id="missing account"),
        pytest.param(without("occurred_at"), id="missing time"),
        pytest.param(without("target"), id="missing target"),
        pytest.param(without("module"), id="missing module"),
        pytest.param(without("outcome"), id="missing outcome"),
        pytest.param(message(occurred_at=datetime(1970, 1, 1, tzinfo=UTC)), id="1970"),
        pytest.param(message(occurred_at=START + timedelta(days=2)), id="two days ahead"),
        pytest.param(message(occurred_at=datetime(2199, 1, 1, tzinfo=UTC)), id="2199"),
    ],
)
def test_the_server_refuses_alone_what_the_reader_would_have_missed(
    payload: bytes, client: Any, insert: Callable[..., list[Refusal]]
) -> None:
    refused = insert(message(1), payload, message(2))
    assert [refusal.record for refusal in refused] == [1]
    assert count(client) == 2


def test_values_keep_their_exact_text(client: Any, insert: Callable[..., list[Refusal]]) -> None:
    values = ["", "null", '""', "12345678901234.123456789", "1.10", '"\\u0000"', '{"a":[1e400]}']
    changes = tuple(EnrichedChange(field="f", old=value, new=value) for value in values)
    assert not insert(read_event(message(changes=changes)))
    stored = query(client, "SELECT old_value, new_value FROM audit_changes ORDER BY position")
    assert [tuple(row.values()) for row in stored] == [(value, value) for value in values]


def test_unknown_fields_are_kept_in_extra(client: Any, insert: Callable[..., list[Refusal]]) -> None:
    newer = encode({**json.loads(message()), "risk": {"score": 3}})
    assert not insert(read_event(newer))
    assert query(client, "SELECT extra FROM audit_log") == [{"extra": '{"risk":{"score":3}}'}]


def test_of_a_key_that_comes_twice_the_first_is_stored(
    client: Any, insert: Callable[..., list[Refusal]]
) -> None:
    twice = message()[:-1] + b',"account":"another"}'
    assert not insert(read_event(twice))
    assert query(client, "SELECT account_id FROM audit_log") == [{"account_id": "account-1"}]


def test_every_field_reaches_its_column(client: Any, insert: Callable[..., list[Refusal]]) -> None:
    window = {"window": 1_772_434_800, "window_end": 1_772_445_600}
    event = enriched(7, **window, notes=("occurred_at: out of range",), claimed_at="1970-01-01")
    assert not insert(read_event(encode(event)))
    (row,) = query(client, "SELECT * FROM audit_log")
    assert row["event_id"] == event.id
    assert row["occurred_at"] == event.occurred_at
    assert row["received_at"] == event.received_at
    assert row["window_start"] == datetime.fromtimestamp(1_772_434_800, UTC)
    assert row["window_end"] == datetime.fromtimestamp(1_772_445_600, UTC)
    assert (row["actor_type"], row["actor_id"], row["actor_name"]) == ("agent", "7", "Ada Lovelace")
    assert (row["ip"], row["ip_trust"], row["on_behalf_of_id"]) == ("203.0.113.7", "proxy", "")
    assert (row["metadata"], row["notes"]) == ('{"ticket":4711}', ["occurred_at: out of range"])
    assert row["changes"][0] == ("phone", "Phone", '"+1 555 0100"', '"+1 555 7"')
    assert (row["producer_service"], row["producer_sequence"]) == ("helpdesk", 7)


def test_the_same_token_inserts_once(client: Any, insert: Callable[..., list[Refusal]]) -> None:
    block = [message(number) for number in range(1, 101)]
    insert(*block)
    insert(*block)
    assert count(client) == 100


def test_a_half_applied_insert_over_several_years_is_completed(
    client: Any, insert: Callable[..., list[Refusal]]
) -> None:
    years = [datetime(year, 6, 1, tzinfo=UTC) for year in range(2020, 2026)]
    block = [message(number, occurred_at=at) for number, at in enumerate(years, 1)]
    # What a crash leaves that came after some of the block's parts were written.
    token = "t:0:0-5:audit_events"
    settings = {"insert_deduplication_token": token, "strings_as_bytes": True, "async_insert": 0}
    client.execute(EVENTS.insert, [block[:3]], columnar=True, settings=settings)
    insert(*block)
    assert count(client) == 6
    insert(*block)
    assert count(client) == 6


def test_a_misspelt_setting_is_an_error(client: Any) -> None:
    with pytest.raises(Misconfigured, match="insert_deduplication_tokn"), explained():
        client.execute(
            EVENTS.insert, [[message()]], columnar=True, settings={"insert_deduplication_tokn": "x"}
        )


def test_a_forgotten_token_is_an_error(client: Any) -> None:
    settings = {"deduplicate_insert_select": "force_enable", "strings_as_bytes": True, "async_insert": 0}
    with pytest.raises(Misconfigured), explained():
        client.execute(EVENTS.insert, [[message()]], columnar=True, settings=settings)


def test_the_same_event_twice_is_one_row_of_the_log(
    client: Any, insert: Callable[..., list[Refusal]]
) -> None:
    insert(message(1), first=0)
    insert(message(1), first=1)
    assert (count(client), count(client, "audit_log")) == (2, 1)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_the_newer_catalogue_wins_and_of_equals_the_first_received(
    order: tuple[int, ...], client: Any, insert: Callable[..., list[Refusal]]
) -> None:
    received = enriched(1).received_at
    copies = [
        message(1, catalogue_version=1, description="old wording"),
        message(1, catalogue_version=2, description="winner", received_at=received + timedelta(hours=1)),
        message(1, catalogue_version=2, description="repeat", received_at=received + timedelta(hours=2)),
    ]
    for place in order:
        insert(copies[place], first=place)
    assert query(client, "SELECT description FROM audit_log") == [{"description": "winner"}]


def test_every_column_of_a_table_and_a_view_is_explained(client: Any) -> None:
    bare = query(
        client,
        "SELECT table, name FROM system.columns WHERE database = %(database)s AND comment = ''",
        {"database": DATABASE},
    )
    assert bare == []


def test_a_changed_migration_is_refused(client: Any) -> None:
    def record(checksum: str, days: int) -> None:
        """A later record of the same migration takes the earlier one's place."""
        sql = "INSERT INTO schema_migrations SELECT 1, 'x', %(checksum)s, now() + toIntervalDay(%(days)s)"
        client.execute(sql, {"checksum": checksum, "days": days})

    record("0" * 64, 1)
    with pytest.raises(MigrationChanged, match="0001_audit_events"):
        list(migrations.apply(client, DATABASE))
    record(migrations.load()[0].checksum, 2)
    assert not list(migrations.apply(client, DATABASE))


def test_errors_are_sorted_by_what_helps(client: Any, clickhouse: ClickHouse) -> None:
    with pytest.raises(Misconfigured) as missing:
        query(client, "SELECT * FROM no_such_table")
    assert "audit migrate up" in missing.value.remedy
    with connect(clickhouse.model_copy(update={"user": "nobody"})) as other, pytest.raises(Misconfigured):
        query(other, "SELECT 1")
    with connect(clickhouse.model_copy(update={"port": 1})) as other, pytest.raises(Unreachable):
        query(other, "SELECT 1")
    with pytest.raises(RowRefused):
        query(client, "SELECT throwIf(1, 'a row')")


def test_history_may_be_older_than_live_events(insert: Callable[..., list[Refusal]], client: Any) -> None:
    old = {"occurred_at": datetime(1998, 5, 1, tzinfo=UTC)}
    history, live = enriched(1, recorded="backfill", **old), enriched(2, recorded="live", **old)

    refused = insert(encode(history), encode(live))

    assert [refusal.offset for refusal in refused] == [1]
    assert client.execute("SELECT recorded, toYear(occurred_at) FROM audit_events") == [("backfill", 1998)]
