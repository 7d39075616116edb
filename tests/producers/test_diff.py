import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw
from pydantic import BaseModel, SecretStr

from audit_producers.diff import apply, diff, dotted, state_of, text_of

NAMES = st.text(st.characters(codec="utf-8"), max_size=3) | st.sampled_from(["a", "b", "a.b", "\\", ""])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4)
    | st.datetimes()
    | st.uuids()
)
VALUES = st.recursive(
    SCALARS | st.lists(st.integers(-(2**40), 2**40), max_size=3),
    lambda inner: st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
STATES = st.dictionaries(NAMES, VALUES, max_size=4).map(state_of)


@dataclass
class Address:
    city: str
    lines: list[str] = field(default_factory=list)


@dataclass
class Contact:
    id: int
    phone: str | None
    address: Address
    extra: dict[str, Any] = field(default_factory=dict)


class Model(BaseModel):
    id: int
    secret: SecretStr
    address: Address


class Plain:
    def __init__(self) -> None:
        self.id = 1
        self._cache = object()


class Slotted:
    __slots__ = ("id", "name")

    def __init__(self) -> None:
        self.id = 1


def changed(old: object, new: object) -> list[tuple[str, Any, Any]]:
    return [(dotted(one.path), one.old, one.new) for one in diff(state_of(old), state_of(new))]


@given(STATES, STATES)
def test_applying_the_differences_to_the_first_state_gives_the_second(old: Any, new: Any):
    assert not diff(apply(old, diff(old, new)), new)


@given(STATES)
def test_a_state_does_not_differ_from_itself(state: Any):
    assert diff(state, state) == []


@given(STATES, STATES)
def test_no_two_differences_have_the_same_path(old: Any, new: Any):
    paths = [dotted(one.path) for one in diff(old, new)]

    assert len(paths) == len(set(paths))


def test_a_state_sees_later_changes_of_nested_values():
    contact = Contact(1, None, Address("Berlin", ["Gate 1"]), {"tags": ["new"]})
    before = state_of(contact)
    contact.address.city = "Bonn"
    contact.address.lines.append("Gate 2")
    contact.extra["tags"].append("vip")

    assert changed(before, contact) == [
        ("address.city", "Berlin", "Bonn"),
        ("address.lines", Raw(b'["Gate 1"]'), Raw(b'["Gate 1","Gate 2"]')),
        ("extra.tags", Raw(b'["new"]'), Raw(b'["new","vip"]')),
    ]


def test_absent_null_and_empty_are_three_things():
    assert changed({}, {"a": None}) == [("a", UNSET, None)]
    assert changed({"a": None}, {"a": ""}) == [("a", None, "")]
    assert changed({"a": ""}, {}) == [("a", "", UNSET)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (1, 1.0),
        (Decimal("1.10"), Decimal("1.1")),
        (math.nan, math.nan),
        ({"x": 1}, {"x": 1}),
        ({2, 1}, {1, 2}),
    ],
)
def test_equal_values_are_no_difference(old: object, new: object):
    assert changed({"a": old}, {"a": new}) == []


def test_true_is_not_one():
    assert changed({"a": 1}, {"a": True}) == [("a", 1, True)]


def test_a_mapping_that_takes_the_place_of_a_scalar_is_one_value():
    [(path, old, new)] = changed({"a": None}, {"a": {"b": 1}})

    assert (path, old, text_of(new)) == ("a", None, Raw(b'{"b":1}'))


def test_names_with_dots_do_not_run_into_nested_ones():
    assert changed({}, {"a.b": 1}) == [("a\\.b", UNSET, 1)]
    assert changed({"a": {}}, {"a": {"b": 1}}) == [("a.b", UNSET, 1)]


def test_models_and_objects_have_states():
    model = Model(id=1, secret=SecretStr("x"), address=Address("Bonn"))

    assert state_of(model)["address"] == {"city": "Bonn", "lines": Raw(b"[]")}
    assert text_of(state_of(model)["secret"]) == Raw(b'"**********"')
    assert state_of(Plain()) == {"id": 1}
    assert state_of(Slotted()) == {"id": 1}


def test_a_value_that_contains_itself_does_no_harm_until_it_changes():
    loop: dict[str, Any] = {"a": 1}
    loop["self"] = loop
    rows: list[Any] = []
    rows.append(rows)

    assert changed({"loop": loop, "rows": rows}, {"loop": loop, "rows": rows}) == []
    with pytest.raises(ValueError, match="contains itself"):
        text_of(state_of(loop)["self"])


@pytest.mark.parametrize("value", [math.nan, math.inf, "\ud800", [math.nan], {"a": "\ud800"}])
def test_what_has_no_json_text_is_refused_when_it_is_written(value: object):
    with pytest.raises(ValueError, match=r"JSON"):
        text_of(state_of({"a": value})["a"])
