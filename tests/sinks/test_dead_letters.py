from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import click
import pytest

from audit_schemas.dead_letter import DeadLetter, Refusable
from audit_schemas.topics import ACCOUNTS, CHANGES, TOPICS
from audit_sinks.commands.dead_letter_choice import chosen
from audit_sinks.dead_letters.returns import mend, obstacle
from audit_sinks.dead_letters.stored import Choice, event_id

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
ID = UUID("0195a2f0-3c51-7abc-8def-0123456789ab")


def letter(topic: str = CHANGES.name, value: bytes | None = b"[]") -> DeadLetter:
    record = Refusable(topic=topic, partition=2, offset=17, key=None, value=value, headers=(), received_at=AT)
    return DeadLetter.of(record, stage="processor", reason="invalid", detail="no event", failed_at=AT)


@pytest.mark.parametrize("topic", [name for name, topic in TOPICS.items() if topic.retention])
def test_what_has_its_value_and_a_topic_that_keeps_every_record_can_be_put_back(topic: str) -> None:
    assert obstacle(letter(topic)) == ""


def test_what_cannot_be_put_back_says_why() -> None:
    assert "audit.changes.v0 is no topic" in obstacle(letter("audit.changes.v0"))
    assert "undo a newer one" in obstacle(letter(ACCOUNTS.name))
    assert "partition 2, offset 17, until 2026-03-16 09:00 UTC" in obstacle(letter(value=None))


def test_a_lost_value_can_be_given() -> None:
    mended = mend(letter(value=None), b"\x00\xff")

    assert (obstacle(mended), mended.value_bytes()) == ("", b"\x00\xff")


def test_a_value_is_no_part_of_the_sql_and_a_zone_is_heeded() -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=timezone(timedelta(hours=3)))
    choice = Choice(reason="' OR 1", since=noon)

    assert "OR 1" not in choice.where
    assert choice.given == {"reason": "' OR 1", "since": "2026-03-02 09:00:00.000000"}


@pytest.mark.parametrize("given", [{"ids": ()}, {"ids": (ID,), "stage": "sink"}])
def test_neither_ids_nor_filters_and_both_are_a_wrong_use(given: dict[str, object]) -> None:
    with pytest.raises(click.UsageError):
        chosen(given.pop("ids"), **given)  # type: ignore[arg-type]


def test_what_is_named_is_meant_even_if_it_was_handled_before() -> None:
    assert not chosen((ID,), stage=None).open_only
    assert chosen((), stage="sink").open_only


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f'{{"id": "{ID}", "account": 7}}'.encode(), ID),
        (b'{"id": "7"}', None),
        (b"no json", None),
        (b'{"id": "\xff"}', None),
        (b"[" * 100_000, None),
        (None, None),
    ],
)
def test_an_id_is_read_from_refused_bytes_as_far_as_it_can_be(
    value: bytes | None, expected: UUID | None
) -> None:
    assert event_id(value) == expected
