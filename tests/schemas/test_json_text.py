"""Values become JSON text that no later reader can round, merge or misread."""

import dataclasses
import json
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pytest
from documents import JSON
from hypothesis import given

from audit_schemas.json_text import to_json_text


class Colour(Enum):
    RED = "red"


@dataclasses.dataclass
class Address:
    city: str
    lines: list[str]


@given(JSON)
def test_what_is_json_already_comes_back_the_same(value: object) -> None:
    assert json.loads(bytes(to_json_text(value))) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1.10"), '"1.10"'),
        (2**53, "9007199254740992"),
        (2**53 + 1, '"9007199254740993"'),
        (-(2**70), '"-1180591620717411303424"'),
        ({"b": {1: Decimal(2)}}, '{"b":{"1":"2"}}'),
        (datetime(2026, 1, 1, tzinfo=UTC), '"2026-01-01T00:00:00Z"'),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (Colour.RED, '"red"'),
        (Address("Ulm", ["a"]), '{"city":"Ulm","lines":["a"]}'),
        ({"b", "a"}, '["a","b"]'),
        (b"\xff", '"/w=="'),
        (1 + 2j, '"(1+2j)"'),
        (True, "true"),
    ],
)
def test_each_kind_of_value_has_one_form(value: object, text: str) -> None:
    assert bytes(to_json_text(value)).decode() == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [Decimal("NaN")], "\ud800", {"a": ["\udfff"]}])
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"no JSON number|cannot be written"):
        to_json_text(value)


def test_a_value_that_contains_itself_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)

    with pytest.raises(ValueError, match="cannot be written"):
        to_json_text(loop)
