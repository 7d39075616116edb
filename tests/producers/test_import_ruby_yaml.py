"""YAML of Rails is data: no tag makes an object, and no document unfolds without end."""

import json
from itertools import pairwise

import pytest

from audit_producers.history.ruby_yaml import yaml_as_json
from audit_schemas.errors import Invalid


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("--- 1.10", b"1.10"),
        ("--- 0x1f", b"31"),
        ("--- .inf", None),
        ("--- 2021-03-02 09:15:22 Z", b'"2021-03-02T09:15:22Z"'),
        ("--- !ruby/symbol open", b'"open"'),
        ("--- !ruby/object:BigDecimal 18:0.1999e4", b'"1999"'),
        ("--- !ruby/object:BigDecimal 9:NaN", b'"NaN"'),
        ("--- !ruby/range 1..5", b'"1..5"'),
        ("--- !ruby/array:Tags\n- a", b'["a"]'),
        ("--- !ruby/object:OpenStruct\ntable:\n  b: 1\n  a: 2", b'{"table":{"a":2,"b":1}}'),
        ("---\nb: 1\na: 2", b'{"b":1,"a":2}'),
        ("--- !binary aGk=", b'"aGk="'),
        ("---", b"null"),
        ("--- !python/object/apply:os.system ['true']", b'["true"]'),
        ("--- !!python/object/apply:os.system ['true']", None),
        ("---\na: [", None),
        ("---\n*gone", None),
    ],
)
def test_what_is_read(text: str, read: bytes | None):
    if read is None:
        with pytest.raises(Invalid, match="YAML"):
            yaml_as_json(text)
    else:
        assert bytes(yaml_as_json(text)) == read


def test_a_time_with_a_zone_is_its_moment():
    zone = "zone: !ruby/object:ActiveSupport::TimeZone\n  name: Europe/Berlin\n"
    moment = "utc: &1 2021-03-02 09:15:22.123456000 Z\n"
    text = (
        f"--- !ruby/object:ActiveSupport::TimeWithZone\n{moment}{zone}time: 2021-03-02 10:15:22.123456000 Z\n"
    )

    assert json.loads(bytes(yaml_as_json(text))) == "2021-03-02T09:15:22.123456Z"


BOMB = ["---", "a: &a [x, x]", *(f"{b}: &{b} [*{a}, *{a}]" for a, b in pairwise("abcdefghijklmnopqr"))]


@pytest.mark.parametrize(
    "text",
    ["\n".join(BOMB), "--- &a\n- *a", "--- " + "[" * 5000 + "]" * 5000],
    ids=["bomb", "cycle", "depth"],
)
def test_a_document_without_end_is_refused(text: str):
    with pytest.raises(Invalid, match="no YAML"):
        yaml_as_json(text)
