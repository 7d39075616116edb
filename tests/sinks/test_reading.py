"""What a record is to the sink."""

from datetime import UTC, datetime

import msgspec
import pytest
from enriching import message
from hypothesis import example, given
from hypothesis import strategies as st

from audit_schemas import topics
from audit_schemas.mark import Mark
from audit_schemas.wire import encode
from audit_sinks.batches import MarkRow, Refusal, Row
from audit_sinks.reading import outcome
from audit_sinks.tables import READERS

MARK = Mark(partition=1, partitions=4, offset=7, received_at=datetime(2026, 3, 2, tzinfo=UTC))
MARKED = MARK.model_dump_json().encode()


def test_an_event_is_a_row_and_a_mark_among_them_is_a_mark() -> None:
    assert outcome(topics.EVENTS.name, 5, message(1), "r") == Row(5, message(1), "r")
    assert outcome(topics.EVENTS.name, 5, MARKED, "r") == MarkRow(Row(5, MARKED, "r"))


def test_a_mark_of_a_later_version_is_a_mark() -> None:
    later = encode({"mark": 2, **MARK.model_dump(mode="json", exclude={"mark"}), "mood": 1})
    assert isinstance(outcome(topics.EVENTS.name, 5, later, None), MarkRow)


@pytest.mark.parametrize("value", [MARKED[:-1], b'{"mark":1}', MARKED.replace(b'"offset":7', b'"offset":-7')])
def test_a_broken_mark_is_refused_like_any_record(value: bytes) -> None:
    assert isinstance(outcome(topics.EVENTS.name, 5, value, None), Refusal)


def test_a_mark_is_one_in_no_other_topic() -> None:
    others = set(READERS) - {topics.EVENTS.name}
    assert all(isinstance(outcome(topic, 5, MARKED, None), Refusal) for topic in others)


def test_a_record_without_a_value_is_a_tombstone_in_the_directory_and_refused_elsewhere() -> None:
    assert outcome(topics.ACTORS.name, 5, None, None) is None
    refused = outcome(topics.EVENTS.name, 5, None, "r")
    assert refused == Refusal(5, "r", "malformed", "has no value")


_TIMES = st.sampled_from(
    ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "2026-03-02T00:00:00Z", "x", "1e999"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | _TIMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
_FIELDS = [
    "mark",
    "id",
    "account",
    "service",
    "instance",
    "kind",
    "sequence",
    "acknowledged",
    "at",
    "received_at",
]
_DOCUMENTS = st.dictionaries(st.sampled_from(_FIELDS), _VALUES).map(
    lambda document: msgspec.json.encode({name: document[name] for name in _FIELDS if name in document})
)


@pytest.mark.parametrize("topic", sorted(READERS))
@given(st.binary(max_size=40) | _DOCUMENTS)
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b'"\\ud800"')
@example(b'{"mark":1,"partition":1,"partitions":1,"offset":1,"received_at":"0001-01-01T00:00:00+05:00"}')
@example(b'{"service":"s","instance":"i","kind":"stop","sequence":1,"at":"9999-12-31T23:59:59-05:00"}')
@example(b'{"service":"s","instance":"i","kind":"stop","sequence":1e400,"at":"2026-03-02T00:00:00Z"}')
@example(b'{"id":"a","name":"\\ud800","zone":"UTC","updated_at":"2026-03-02T00:00:00Z"}')
def test_no_record_whatever_it_is_ends_the_sink(topic: str, value: bytes) -> None:
    assert isinstance(outcome(topic, 5, value, None), Row | MarkRow | Refusal)
