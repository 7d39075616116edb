from dataclasses import dataclass

import pytest
from msgspec import Raw

from audit_producers import Invalid, Kind, Target
from audit_producers.targets import Kinds, changes, snake_case


@dataclass
class SmartRule:
    id: int
    name: str | None = None


class VIPRule(SmartRule):
    pass


@dataclass
class Person:
    uid: str
    label: str = "Bob"


class Describing:
    id = 1

    def audit_target(self) -> Target:
        return Target(type="thing", id="x")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Contact", "contact"),
        ("SmartRule", "smart_rule"),
        ("APIKey", "api_key"),
        ("OAuth2Client", "o_auth2_client"),
    ],
)
def test_the_type_is_the_class_in_snake_case(name: str, expected: str):
    assert snake_case(name) == expected


def test_an_object_is_known_by_its_class_and_id():
    assert Kinds().target_of(SmartRule(7, "Night")) == Target(type="smart_rule", id="7", name="Night")


def test_a_registered_class_is_recorded_by_its_rules_and_its_subclasses_too():
    kinds = Kinds()
    kinds.register(SmartRule, Kind(type="rule", name=None))
    kinds.register(Person, Kind(type="contact", id="uid", name="label"))

    assert kinds.target_of(VIPRule(7, "Night")) == Target(type="rule", id="7")
    assert kinds.target_of(Person("p1")) == Target(type="contact", id="p1", name="Bob")


def test_an_object_may_describe_itself():
    assert Kinds().target_of(Describing()) == Target(type="thing", id="x")


@pytest.mark.parametrize("obj", [{"id": 1}, Person("p1"), SmartRule(None), object()])  # type: ignore[arg-type]
def test_what_cannot_be_named_is_refused_with_a_remedy(obj: object):
    with pytest.raises(Invalid) as caught:
        Kinds().target_of(obj)

    assert "target=Target(" in caught.value.remedy


def test_fields_are_ignored_redacted_and_labelled():
    kind = Kind(ignore={"updated_at", "meta.etag"}, redact={"note"}, labels={"phone": "Phone number"})
    old = {"phone": "1", "updated_at": 1, "note": "a", "meta": {"etag": 1, "rank": 1}}
    new = {"phone": "2", "updated_at": 2, "note": "b", "meta": {"etag": 2, "rank": 2}}

    found = changes(old, new, kind)

    assert [(change.field, change.label, change.old, change.new) for change in found] == [
        ("phone", "Phone number", Raw(b'"1"'), Raw(b'"2"')),
        ("note", None, Raw(b'"[redacted]"'), Raw(b'"[redacted]"')),
        ("meta.rank", None, Raw(b"1"), Raw(b"2")),
    ]


def test_a_changed_value_without_json_text_is_refused_by_its_name():
    with pytest.raises(Invalid, match="score: nan is no JSON number"):
        changes({"score": 1.0}, {"score": float("nan")})
