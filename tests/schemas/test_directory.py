"""Directory entries, dead letters and permissions."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from audit_schemas.dead_letter import DeadLetter, Refusable
from audit_schemas.directory import Account, DirectoryActor
from audit_schemas.permissions import Permission, permits
from audit_schemas.topics import DEAD_LETTERS

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_zone_must_exist() -> None:
    assert Account(id="a", zone="Asia/Kolkata", updated_at=NOW).zone == "Asia/Kolkata"
    with pytest.raises(ValidationError, match="'Mars/Base' is no time zone"):
        Account(id="a", zone="Mars/Base", updated_at=NOW)


@pytest.mark.parametrize(
    ("held", "activity", "view", "export"),
    [
        ([], False, False, False),
        (["View Contact activity"], True, False, False),
        (["View Audit logs"], True, True, False),
        (["View and Export Audit logs"], True, True, True),
        (["view audit logs", "Delete tickets"], False, False, False),
    ],
)
def test_each_permission_includes_the_ones_before_it_and_nothing_else_does(
    held: list[str], activity: bool, view: bool, export: bool
) -> None:
    assert permits(held, Permission.ACTIVITY) is activity
    assert permits(held, Permission.VIEW) is view
    assert permits(held, Permission.EXPORT) is export


@pytest.mark.parametrize(
    ("said", "permissions"),
    [
        ("", ("View Contact activity",)),
        (',"type":"agent"', ("View Contact activity",)),
        (',"type":"admin"', ("View Contact activity",)),
        *((f',"type":"{other}"', ()) for other in ("contact", "integration", "system", "unknown")),
        (',"permissions":[]', ()),
        (',"type":"admin","permissions":["Delete tickets"]', ("Delete tickets",)),
        (',"type":"contact","permissions":["View Audit logs"]', ("View Audit logs",)),
    ],
)
def test_permissions_that_nobody_listed_are_those_of_the_type(
    said: str, permissions: tuple[str, ...]
) -> None:
    entry = DirectoryActor.model_validate_json(
        '{"account":"a","id":"7","updated_at":"2026-03-01T00:00:00Z"' + said + "}"
    )
    assert entry.permissions == permissions


def letter(**place: object) -> DeadLetter:
    record = {
        "topic": "t",
        "partition": 0,
        "offset": 1,
        "key": None,
        "value": b"\xff\x00",
        "headers": (("h", None),),
        "received_at": NOW,
        **place,
    }
    return DeadLetter.of(
        Refusable(**record), stage="processor", reason="malformed", detail="no JSON", failed_at=NOW
    )


def test_a_dead_letter_keeps_any_bytes_and_tells_no_key_from_an_empty_one() -> None:
    assert letter().value_bytes() == b"\xff\x00"
    assert letter().key is None
    assert letter(key=b"").key == ""


def test_a_repeated_refusal_is_the_same_dead_letter_and_another_place_is_another() -> None:
    assert letter().id == letter().id
    assert len({letter().id, letter(offset=2).id, letter(received_at=NOW.replace(year=2027)).id}) == 3


@pytest.mark.parametrize(("size", "kept"), [(4 << 20, True), (7 << 20, False)])
def test_a_dead_letter_always_fits_its_topic(size: int, kept: bool) -> None:
    record = Refusable(
        topic="t", partition=0, offset=1, key=b"k", value=b"x" * size, headers=(), received_at=NOW
    )
    key, value = DeadLetter.fitting(
        record, stage="sink", reason="invalid", detail="y" * 10_000, failed_at=NOW
    )

    assert len(key) + len(value) <= DEAD_LETTERS.room
    assert (DeadLetter.model_validate_json(value).value_bytes() == record.value) is kept
