"""What the log says of a dead letter that somebody has handled."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from audit_schemas.dead_letter import DeadLetter, Refusable
from audit_schemas.topics import CHANGES
from audit_schemas.wire import decode_event, encode
from audit_sinks.dead_letters.events import account_of, event_of
from audit_sinks.dead_letters.handling import Handling

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
REFUSED = {"id": str(uuid4()), "account": "acme", "target": 7}


def letter(value: bytes | None = json.dumps(REFUSED).encode()) -> DeadLetter:
    record = Refusable(
        topic=CHANGES.name, partition=3, offset=17, key=None, value=value, headers=(), received_at=NOON
    )
    return DeadLetter.of(record, stage="processor", reason="invalid", detail="d", failed_at=NOON)


def handling(**given: Any) -> Handling:
    fields: dict[str, Any] = {
        "dead_letter_id": letter().id,
        "action": "purged",
        "handled_by": "ada",
        "reason": "a load test",
        "handled_at": NOON + timedelta(hours=1),
    }
    return Handling(**{**fields, **given})


def test_the_event_says_who_did_what_when_and_why() -> None:
    event = event_of(letter(), handling(), "auditlane")

    assert (event.account, event.action, event.occurred_at) == ("acme", "purge", NOON + timedelta(hours=1))
    assert (event.actor.type, event.actor.name, event.reason) == ("system", "ada", "a load test")
    assert (event.target.type, event.target.id, event.target.name) == (
        "dead_letter",
        str(letter().id),
        "audit.changes.v1/3/17",
    )
    assert msgspec.json.decode(event.metadata) == {
        "stage": "processor",
        "refused_for": "invalid",
        "event_id": REFUSED["id"],
    }


def test_a_replay_says_where_the_record_lies_now() -> None:
    event = event_of(letter(), handling(action="replayed", partition=2, offset=99, mended=True), "auditlane")

    assert event.action == "replay"
    told = msgspec.json.decode(event.metadata)
    assert (told["put_back"], told["mended"]) == ({"partition": 2, "offset": 99}, True)


def test_told_twice_it_is_one_event_and_another_handling_is_another() -> None:
    first = event_of(letter(), handling(), "auditlane")

    assert event_of(letter(), handling(), "auditlane") == first
    later = replace(handling(), handled_at=NOON + timedelta(hours=2))
    for other in (later, replace(handling(), action="replayed")):
        assert event_of(letter(), other, "auditlane").id != first.id


def test_the_event_is_one_that_the_processor_accepts() -> None:
    event = event_of(letter(), handling(), "auditlane")

    read, unknown = decode_event(encode(event))
    assert (read.id, read.target.id, unknown) == (event.id, event.target.id, "")


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"no json",
        b"[]",
        b'{"account": 7}',
        b'{"account": ""}',
        b'{"account": "\xff"}',
        b"[" * 9999,
    ],
)
def test_where_the_bytes_name_no_account_it_is_the_operators(value: bytes | None) -> None:
    assert account_of(letter(value)) is None
    assert event_of(letter(value), handling(), "operations").account == "operations"
