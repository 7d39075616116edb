"""The sentences of the log."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_schemas.catalogue import catalogue
from audit_schemas.enriched import EnrichedChange
from audit_schemas.event import Event, Target
from audit_schemas.json_text import to_json_text
from audit_schemas.wording.description import describer
from audit_schemas.wording.values import shown_value

describe = describer(catalogue())


def event(action: str = "update", **given: Any) -> Event:
    return Event(
        id=UUID(int=7 << 76 | 2 << 62),
        account="acme",
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        action=action,
        target=given.pop("target", Target(type="smart_rule", id="r-1", name="VIP first")),
        **given,
    )


def change(
    old: str = "", new: str = "", field: str = "phone_number", label: str | None = None
) -> EnrichedChange:
    return EnrichedChange(field=field, label=label, old=old, new=new)


@pytest.mark.parametrize(
    ("subject", "changes", "expected"),
    [
        (event("create"), [change(new="1")], ("create", "Created smart rule VIP first")),
        (event("delete", target=Target(type="role", id="9")), [], ("delete", "Deleted role 9")),
        (event("login"), [], ("login", "Signed in")),
        (
            event("login", outcome="failure", outcome_reason="wrong password"),
            [],
            ("login_failed", "Failed to sign in: wrong password"),
        ),
        (event("login", outcome="failure"), [], ("login_failed", "Failed to sign in")),
        (event(), [], ("update", "Updated smart rule VIP first")),
        (
            event(),
            [change('"a"', '"b"')],
            ("changed", "Changed phone number of smart rule VIP first from a to b"),
        ),
        (
            event(),
            [change('"a"', '"b"', label="Phone")],
            ("changed", "Changed Phone of smart rule VIP first from a to b"),
        ),
        (event(), [change("null", "1.10")], ("set", "Set phone number of smart rule VIP first to 1.10")),
        (
            event(),
            [change('"a"', '""')],
            ("cleared", "Cleared phone number of smart rule VIP first, which was a"),
        ),
        (event(), [change("", "")], ("touched", "Changed phone number of smart rule VIP first")),
        (event(), [change("1", "1")], ("touched", "Changed phone number of smart rule VIP first")),
        (
            event(),
            [change(field=name) for name in ("a", "b", "b")],
            ("changed_many", "Changed a, b, b of smart rule VIP first"),
        ),
        (
            event(),
            [change(field=name) for name in "abcde"],
            ("changed_lots", "Changed a, b, c and 2 more of smart rule VIP first"),
        ),
        (event("run_test"), [], ("other", "Run test smart rule VIP first")),
        (
            event("delete", outcome="failure", outcome_reason="it is in use"),
            [],
            ("failed", "Failed: Deleted smart rule VIP first: it is in use"),
        ),
    ],
)
def test_what_happened_is_told_in_one_sentence(
    subject: Event, changes: list[EnrichedChange], expected: tuple[str, str]
) -> None:
    assert expected == describe(subject, changes)


def test_a_template_of_the_target_type_goes_before_the_general_one() -> None:
    own = catalogue().model_copy(
        update={"templates": {**catalogue().templates, "smart_rule.create": "Wrote the rule {target}"}}
    )
    assert describer(own)(event("create"), []) == ("smart_rule.create", "Wrote the rule VIP first")


def test_a_template_with_an_unknown_placeholder_is_refused_at_the_start() -> None:
    own = catalogue().model_copy(update={"templates": {**catalogue().templates, "create": "Made {what}"}})
    with pytest.raises(ValueError, match="unknown placeholders: what"):
        describer(own)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('"+1 555 0199"', "+1 555 0199"),
        ('"say \\"hi\\""', 'say "hi"'),
        ("12345678901234567890.50", "12345678901234567890.50"),
        ("true", "true"),
        ('"two\\nlines"', "two lines"),
        ('{"a": [1]}', '{"a": [1]}'),
        ('"=1+1"', "=1+1"),
        (f'"{"x" * 61}"', "x" * 59 + "…"),
        ('"{old}"', "{old}"),
    ],
)
def test_values_are_shown_as_people_read_them(text: str, shown: str) -> None:
    assert shown == shown_value(text)
    assert f"Set phone number of smart rule VIP first to {shown}" == describe(event(), [change(new=text)])[1]


@given(st.text(), st.text(), st.text(min_size=1), st.text(min_size=1))
def test_every_sentence_is_one_short_line(old: str, new: str, field: str, name: str) -> None:
    _, sentence = describe(
        event(target=Target(type="t", id="1", name=name)),
        [change(bytes(to_json_text(old)).decode(), bytes(to_json_text(new)).decode(), field=field)],
    )
    assert len(sentence) < 400
    assert "\n" not in sentence
