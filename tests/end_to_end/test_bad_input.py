"""Bad input on its whole way: each kind has a clear outcome, and the events around it arrive."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from command import Audit, Rows
from confluent_kafka import Producer

from audit_deploy.control import Stack
from audit_schemas.topics import CHANGES


def event(**fields: Any) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "account": "bad-input",
        "occurred_at": "2026-03-01T09:00:00Z",
        "action": "update",
        "target": {"type": "contact", "id": "42"},
        **fields,
    }


@pytest.fixture
def append(pipeline: Stack) -> Iterator[Any]:
    """Appends raw bytes to audit.changes between two good events; returns the good ones' ids."""
    producer = Producer({"bootstrap.servers": pipeline.kafka, "message.max.bytes": 8 << 20})

    def append(value: bytes | None, key: bytes | None = b"k") -> list[str]:
        around = [event(), event()]
        for data in (json.dumps(around[0]).encode(), value, json.dumps(around[1]).encode()):
            producer.produce(CHANGES.name, data, key=key, partition=0)
        assert producer.flush(10) == 0
        return [good["id"] for good in around]

    yield append
    producer.flush(10)


def stored(rows: Rows, ids: list[str]) -> list[dict[str, Any]]:
    named = ", ".join(f"'{name}'" for name in ids)
    return rows(
        f"SELECT * FROM audit_log WHERE event_id IN ({named}) "
        f"AND (SELECT count() FROM audit_log WHERE event_id IN ({named})) = {len(ids)}"
    )


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"\xff\xfe\x00", "malformed"),
        (b'{"account": ', "malformed"),
        (b"", "malformed"),
        (b"[]", "invalid"),
        (json.dumps(event(account=7)).encode(), "invalid"),
        (json.dumps(event(target="contact 42")).encode(), "invalid"),
        (json.dumps(event(occurred_at="2026-03-01T09:00:00")).encode(), "invalid"),
        (json.dumps(event(metadata=[1])).encode(), "invalid"),
        (
            json.dumps(event(changes=[{"field": "a", "new": "X"}])).encode().replace(b'"X"', b"NaN"),
            "malformed",
        ),
        (json.dumps(event(reason="X")).encode().replace(b'"X"', b'"\\ud800"'), "malformed"),
    ],
)
def test_what_is_no_event_becomes_a_dead_letter_with_its_bytes(
    value: bytes, reason: str, append: Any, rows: Rows
) -> None:
    around = append(value)

    same = f"assumeNotNull(value) = base64Encode(unhex('{value.hex()}'))"
    letters = rows(
        f"SELECT reason, detail, topic FROM dead_letters FINAL WHERE {same} ORDER BY received_at DESC LIMIT 1"
    )
    assert [(letter["reason"], letter["topic"]) for letter in letters] == [(reason, CHANGES.name)]
    assert letters[0]["detail"]
    assert len(stored(rows, around)) == 2


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"module": "no such module"}, {"module": "contacts", "notes": ["unknown module: no such module"]}),
        ({"occurred_at": "1970-01-01T00:00:00Z"}, {"claimed_at": "1970-01-01T00:00:00+00:00"}),
        ({"occurred_at": "2199-12-31T23:59:59Z"}, {"claimed_at": "2199-12-31T23:59:59+00:00"}),
        ({"origin": {"address": "app-3.internal"}}, {"address": "app-3.internal", "ip": ""}),
        ({"origin": {"address": "[2001:DB8::1]:443"}}, {"address": "[2001:DB8::1]:443", "ip": "2001:db8::1"}),
        ({"origin": {"address": "203.0.113.9:51234"}}, {"ip": "203.0.113.9"}),
        ({"later": {"b": [1, 2]}}, {"extra": '{"later":{"b": [1, 2]}}'}),
    ],
)
def test_what_is_odd_is_stored_and_says_so(
    fields: dict[str, Any], expected: dict[str, Any], append: Any, rows: Rows
) -> None:
    odd = event(**fields)
    around = append(json.dumps(odd).encode())

    [row] = stored(rows, [odd["id"]])

    assert {name: row[name] for name in expected} == expected
    assert len(stored(rows, around)) == 2


def test_an_event_without_a_key_arrives(append: Any, rows: Rows) -> None:
    odd = event()
    append(json.dumps(odd).encode(), key=None)

    assert len(stored(rows, [odd["id"]])) == 1


def test_ten_thousand_changes_and_one_field_twice_keep_their_order(append: Any, rows: Rows) -> None:
    changes = [{"field": f"f{number % 9_999}", "old": number, "new": None} for number in range(10_000)]
    odd = event(changes=changes)
    append(json.dumps(odd).encode())

    assert len(stored(rows, [odd["id"]])) == 1
    [row] = rows(
        "SELECT groupArray(field) = arrayMap(n -> 'f' || toString(n % 9999), range(10000)) AS in_order, "
        "groupArray(old_value) = arrayMap(n -> toString(n), range(10000)) AS exact "
        f"FROM audit_changes WHERE event_id = '{odd['id']}'"
    )
    assert row == {"in_order": 1, "exact": 1}


def test_absent_null_and_empty_values_stay_three_things(append: Any, rows: Rows) -> None:
    odd = event(changes=[{"field": "a", "new": ""}, {"field": "b", "old": None, "new": 1.10}])
    append(json.dumps(odd).encode().replace(b"1.1}", b"1.10}"))

    found = rows(
        f"SELECT field, old_value, new_value FROM audit_changes WHERE event_id = '{odd['id']}' ORDER BY field"
    )

    assert found == [
        {"field": "a", "old_value": "", "new_value": '""'},
        {"field": "b", "old_value": "null", "new_value": "1.10"},
    ]


def test_publishing_a_file_names_its_bad_lines_and_sends_the_good_ones(
    audit: Audit, rows: Rows, tmp_path: Any
) -> None:
    good = [event(), event()]
    too_large = event(reason="x" * (2 << 20))
    lines = [
        json.dumps(good[0]),
        "{",
        json.dumps(event(account="")),
        json.dumps(too_large),
        json.dumps(good[1]),
    ]
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(lines) + "\n")

    done = audit("publish", str(file))

    assert done.returncode == 3
    for number in (2, 3, 4):
        assert f"line {number}: " in done.stderr + done.stdout
    assert (tmp_path / "events.jsonl.rejected.jsonl").exists() or (
        tmp_path / "events.rejected.jsonl"
    ).exists()
    assert len(stored(rows, [line["id"] for line in good])) == 2


def test_publishing_a_file_again_stores_nothing_twice(audit: Audit, rows: Rows, tmp_path: Any) -> None:
    account = f"again-{uuid.uuid4()}"
    line = {key: value for key, value in event(account=account).items() if key != "id"}
    file = tmp_path / "events.jsonl"
    file.write_text(f"{json.dumps(line)}\n" * 2)

    assert [audit("publish", str(file)).returncode for _ in range(2)] == [0, 0]

    end = {**line, "account": f"{account}-end"}
    assert audit("publish", "-", stdin=json.dumps(end)).returncode == 0
    assert rows(f"SELECT 1 FROM audit_log WHERE account_id = '{account}-end'")
    assert rows(f"SELECT count() AS events FROM audit_log WHERE account_id = '{account}'") == [{"events": 2}]
