"""The way back, applied by the rules of RFC 6902: what stood before stands again, or nothing changes."""

import json
from itertools import pairwise
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_exporter.undo import pointer, undo, undo_all

ABSENT = object()


def event(number, changed, action="update", target="4711", later=()):
    return {
        "account_id": "acme",
        "target_type": "contact",
        "target_id": target,
        "target_name": "Grace",
        "event_id": str(UUID(int=number)),
        "action_type": action,
        "occurred_at": f"2026-03-02T09:{number:02}:00.000000Z",
        "changed": [[field, text(old), text(new)] for field, old, new in changed],
        "later": list(later),
    }


def text(value):
    return "" if value is ABSENT else json.dumps(value)


def way_back(*events):
    return json.loads(msgspec.json.encode(undo(list(events))))


class TestFailed(Exception):
    __test__ = False


def patched(document, patch):
    """RFC 6902 on objects: the operations that we write."""
    document = json.loads(json.dumps(document))
    for operation in patch:
        value = operation.get("value")
        if operation["path"] == "":
            document = None if operation["op"] == "remove" else value
            continue
        *above, name = (
            part.replace("~1", "/").replace("~0", "~") for part in operation["path"][1:].split("/")
        )
        holder = document
        for part in above:
            holder = holder[part]
        if operation["op"] in ("test", "replace", "remove") and name not in holder:
            raise TestFailed(name)
        if operation["op"] == "test" and holder[name] != value:
            raise TestFailed(name)
        if operation["op"] == "remove":
            del holder[name]
        elif operation["op"] in ("add", "replace"):
            holder[name] = value
    return document


STATES = st.dictionaries(st.sampled_from("abcd"), st.none() | st.text(max_size=3) | st.integers(), max_size=4)


@given(st.lists(STATES, min_size=2, max_size=5))
def test_the_patch_leads_from_the_last_state_to_the_first(states):
    steps = list(pairwise(states))
    events = [
        event(
            number,
            [
                (field, before.get(field, ABSENT), after.get(field, ABSENT))
                for field in sorted(before.keys() | after.keys())
                if before.get(field, ABSENT) != after.get(field, ABSENT)
            ],
        )
        for number, (before, after) in enumerate(steps)
    ]
    back = way_back(*reversed(events))
    assert patched(states[-1], back["patch"]) == states[0]
    assert back["not_recorded"] == []


def test_a_value_that_changed_since_is_not_overwritten():
    back = way_back(event(1, [("phone", "1", "2"), ("city", "Bonn", "Köln")]))
    with pytest.raises(TestFailed):
        patched({"phone": "3", "city": "Köln"}, back["patch"])
    assert [operation["op"] for operation in back["patch"]] == ["test", "test", "replace", "replace"]


def test_what_was_created_is_to_go_and_what_was_deleted_comes_back():
    made = event(1, [("name", ABSENT, "Grace")], action="create")
    gone = event(3, [("name", "Grace H.", ABSENT), ("phone", "1", ABSENT)], action="delete")
    changed = event(2, [("name", "Grace", "Grace H.")])
    assert way_back(changed, made)["action"] == "delete"
    assert patched({"name": "Grace H."}, way_back(changed, made)["patch"]) is None
    assert patched(None, way_back(gone, changed)["patch"]) == {"name": "Grace", "phone": "1"}
    assert way_back(gone, changed, made)["patch"] == []


def test_what_the_log_does_not_have_is_named():
    back = way_back(event(1, [("api_key", "[redacted]", "[redacted]"), ("x", ABSENT, ABSENT), ("y", 1, 2)]))
    assert back["not_recorded"] == ["api_key", "x"]
    assert [operation["field"] for operation in back["patch"]] == ["y", "y"]


def test_a_field_that_was_changed_again_is_named():
    since = ["phone", "2026-03-02T10:00:00.000000Z", str(UUID(int=9))]
    before = ["city", "2026-03-01T10:00:00.000000Z", str(UUID(int=8))]
    back = way_back(event(1, [("phone", "1", "2"), ("city", "a", "b")], later=[since, before]))
    assert [found["field"] for found in back["changed_since"]] == ["phone"]


def test_each_target_has_its_own():
    ways = list(undo_all([event(2, [("a", 1, 2)], target="1"), event(1, [("a", 0, 1)], target="2")]))
    assert [(way.target.id, way.events) for way in ways] == [
        ("1", (str(UUID(int=2)),)),
        ("2", (str(UUID(int=1)),)),
    ]


@pytest.mark.parametrize(
    ("field", "path"),
    [("phone", "/phone"), ("address.city", "/address/city"), ("a/b", "/a~1b"), ("a~b", "/a~0b")],
)
def test_a_field_is_a_json_pointer(field, path):
    assert pointer(field) == path
