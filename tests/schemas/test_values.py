"""Values are shown by the kind of their field, whatever they are."""

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_schemas.catalogue import Field
from audit_schemas.catalogue.model import FieldKind
from audit_schemas.wording.fields import _teller
from audit_schemas.wording.values import LONGEST_VALUE, shower

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
NASTY = st.sampled_from(
    ["<p>" * 900, "<!--" * 700, "<script" * 400, "\u2028\x85\x0b", "2026-03-02T09:59:59+99:99", "9" * 5000]
)
KEYS = st.sampled_from(["id", "name", "amount", "currency"]) | st.text(max_size=3)
JSON = st.recursive(
    SCALARS | NASTY,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
BROKEN = st.sampled_from(
    ['"\\ud800"', '{"name":"\\ud800"}', '["\\ud800"]', "[" * 3000, "{", '{"id":', '"', "nul", "[1,"]
)
TEXT = JSON.map(json.dumps) | JSON.map(lambda it: json.dumps(it, ensure_ascii=False)) | BROKEN | st.just("")


@pytest.mark.parametrize("kind", get_args(FieldKind))
@given(old=TEXT, new=TEXT)
def test_hostile_values_are_told_in_one_short_line(kind: FieldKind, old: str, new: str) -> None:
    field = Field(kind=kind, choices={"1": "One"})
    told = _teller(field)(old, new)
    for text in told[1:]:
        assert len(text) <= 3 * LONGEST_VALUE
        assert len(text.splitlines()) <= 1
    assert _teller(field)(new, new).kind == "touched"


@pytest.mark.parametrize(
    ("field", "text", "shown"),
    [
        (Field(kind="boolean"), "true", "yes"),
        (Field(kind="boolean"), '"maybe"', "maybe"),
        (Field(kind="choice", choices={"2": "Two"}), "2", "Two"),
        (Field(kind="choice", choices={"2": "Two"}), "3", "3"),
        (Field(kind="money"), '{"amount": 1.10, "currency": "EUR"}', "1.10 EUR"),
        (Field(kind="money"), '{"amount": 1.10}', '{"amount": 1.10}'),
        (Field(kind="money"), "12345678901234567890.10", "12345678901234567890.10"),
        (Field(kind="reference"), '{"id": 7, "name": "Ada"}', "Ada"),
        (Field(kind="reference"), '{"id": 7, "name": null}', "7"),
        (Field(kind="reference"), "7", "7"),
        (Field(kind="reference"), '{"key": 7}', '{"key": 7}'),
        (Field(kind="date"), '"2026-03-02T09:59:59.123456+01:00"', "2026-03-02 09:59:59 +01:00"),
        (Field(kind="date"), '"2026-03-02 09:59Z"', "2026-03-02 09:59 UTC"),
        (Field(kind="date"), '"2026-03-02T09:59:59"', "2026-03-02T09:59:59"),
        (Field(kind="date"), '"tomorrow"', "tomorrow"),
        (Field(kind="duration"), "90061", "1 day 1 hour 1 minute 1 second"),
        (Field(kind="duration", unit="hours"), "48", "2 days"),
        (Field(kind="duration"), "0", "0 seconds"),
        (Field(kind="duration"), "1.5", "1.5"),
        (Field(kind="duration"), '"PT30M"', "PT30M"),
        (Field(kind="rich_text"), '"<p>a&nbsp;&lt; b</p><script>x()</script> 1 < 2"', "a < b 1 < 2"),
        (Field(kind="rich_text"), '"<p></p>"', ""),
        (Field(kind="number"), "1.10", "1.10"),
        (Field(), '"half \\ud800"', '"half \\ud800"'),
    ],
)
def test_a_value_is_shown_by_its_kind_and_as_it_is_where_it_does_not_fit(
    field: Field, text: str, shown: str
) -> None:
    assert shown == shower(field)(text)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('["a"]', '["a","b"]', ("added", "a", "a, b", "b", "")),
        ("null", '["a","b"]', ("added_many", "", "a, b", "a, b", "")),
        ('["a","a"]', '["a"]', ("removed", "a, a", "a", "", "a")),
        ('["a","b"]', '["b","a"]', ("reordered", "a, b", "b, a", "", "")),
        ('[{"id":1,"name":"A"}]', '[{"name":"B","id":1}]', ("touched", "", "", "", "")),
        ('["a"]', '"b"', ("changed", '["a"]', "b", "", "")),
    ],
)
def test_a_list_tells_what_was_added_and_removed(old: str, new: str, told: tuple[str, ...]) -> None:
    assert told == _teller(Field(kind="list"))(old, new)
    assert told == _teller(Field())(old, new)


def test_what_is_shown_alike_has_changed_beyond_what_is_shown() -> None:
    tell = _teller(Field())
    assert tell(json.dumps("x" * 99 + "a"), json.dumps("x" * 99 + "b")).kind == "touched"
