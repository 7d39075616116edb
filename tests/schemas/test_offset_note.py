"""The note beside a committed offset: read as it was written, and an offset of another topic is refused."""

import pytest

from audit_schemas.errors import Misconfigured
from audit_schemas.offset_note import OffsetNote, check_topic, read_note


@pytest.mark.parametrize(
    "note", [OffsetNote("t"), OffsetNote("t", end=7), OffsetNote("t", refused=3), OffsetNote("t", 0, 1)]
)
def test_a_note_reads_as_it_was_written(note: OffsetNote):
    assert note == read_note(note.text())


def test_the_zero_byte_of_another_client_is_passed_over():
    assert OffsetNote("t", end=7) == read_note(OffsetNote("t", end=7).text() + "\0")
    assert read_note("\0") is None


def test_an_offset_without_a_note_has_none():
    assert read_note("") is None


@pytest.mark.parametrize("text", ["{", "{}", '{"topic":7}', "MirrorMaker was here"])
def test_anything_else_is_an_error(text: str):
    with pytest.raises(ValueError, match="cannot be read"):
        read_note(text)


def test_an_offset_of_a_topic_that_was_made_anew_is_refused_with_both_ways_to_go_on():
    with pytest.raises(Misconfigured, match=r"t\[3\] was made anew") as refused:
        check_topic(OffsetNote("old"), topic="t", partition=3, topic_id="new", group="g")
    assert "--to-earliest" in refused.value.remedy
    assert "--to-current" in refused.value.remedy


def test_the_same_topic_and_an_offset_without_a_note_are_fine():
    check_topic(OffsetNote("same"), topic="t", partition=3, topic_id="same", group="g")
    check_topic(None, topic="t", partition=3, topic_id="new", group="g")
