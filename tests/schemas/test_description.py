"""The sentences of the log."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_schemas.catalogue import Field, TargetType, catalogue
from audit_schemas.enriched import EnrichedChange
from audit_schemas.event import Event, Target
from audit_schemas.json_text import to_json_text
from audit_schemas.wording.description import describer
from audit_schemas.wording.values import shown_value

describe = describer(catalogue())
TARGETS = catalogue().targets


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
        (event("polish"), [], ("other", "Polish smart rule VIP first")),
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


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_type_has_a_sentence_for_each_action(name: str) -> None:
    target = Target(type=name, id="1", name="Gold")
    for action in ("create", "delete", "view", "export", "update", "polish", *TARGETS[name].actions):
        key, sentence = describe(event(action, target=target), [])
        assert sentence[0].isupper()
        assert "{" not in key + sentence


def test_the_most_particular_template_is_taken() -> None:
    own = catalogue().model_copy(
        update={
            "targets": {
                "smart_rule": TargetType(
                    module="smart_rules",
                    fields={"position": Field(templates={"set": "Own of field"})},
                    templates={"changed": "Own of type", "set": "Never"},
                )
            }
        }
    )
    say = describer(own)
    assert say(event(), [change("1", "2", "color")]) == ("smart_rule.changed", "Own of type")
    assert say(event(), [change("", "2", "position")]) == ("smart_rule.position.set", "Own of field")
    assert say(event(), [change("1", "2", "position")])[0] == "position.changed"
    assert say(event(), [change("1", "", "color")])[0] == "cleared"


@pytest.mark.parametrize("given", ["label", "no label"])
def test_the_producers_label_goes_before_the_catalogues(given: str) -> None:
    own = "Called at" if given == "label" else None
    target = Target(type="phone_number", id="1", name="Sales")
    made = describe(event(target=target), [change("1", "2", "forward_to", own)])[1]
    assert made == f"Changed {own or 'Forwarding number'} of phone number Sales from 1 to 2"


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
