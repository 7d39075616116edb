import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_schemas.offset_note import read_note
from audit_sinks import journal
from audit_sinks.batches import Batch, Place
from audit_sinks.errors import Misconfigured
from audit_sinks.journal import Position, Resume

OFFSETS = st.integers(min_value=0, max_value=2**63 - 1)
PLACE, OTHER = Place("audit.events.v1", 3), Place("audit.events.v1", 4)


@given(first=OFFSETS, size=st.integers(0, 2**20), refused=st.integers(0, 2**40), topic=st.text(min_size=1))
def test_what_is_written_before_an_insert_is_replayed_exactly(
    first: int, size: int, refused: int, topic: str
) -> None:
    note = Position(first, end=first + size, refused=refused).note(topic)
    assert journal.read(PLACE, first, note, topic) == Resume(
        first, replay_until=first + size, refused=refused
    )


def test_what_is_done_goes_on_from_its_offset_and_keeps_the_topic_and_the_count() -> None:
    note = Position(7, refused=3).note("t")
    assert journal.read(PLACE, 7, note, "t") == Resume(7, refused=3)
    read = read_note(note)
    assert read is not None
    assert read.topic == "t"


def test_one_commit_acknowledges_what_is_done_and_journals_what_comes_next() -> None:
    done = {PLACE: Batch(0, 9, refused_after=2), OTHER: Batch(5, 6, refused_after=1)}
    blocks = {PLACE: Batch(12, 20, refused_before=2)}
    assert journal.positions(done, blocks) == {
        PLACE: Position(12, end=20, refused=2),
        OTHER: Position(7, refused=1),
    }


def test_a_commit_without_a_note_goes_on_from_its_offset() -> None:
    assert journal.read(PLACE, 7, "", "t") == Resume(7)


def test_a_note_of_before_refusals_were_counted_is_followed() -> None:
    assert journal.read(PLACE, 7, '{"topic":"t","end":9,"v":1}', "t") == Resume(7, replay_until=9)


@pytest.mark.parametrize("end", [None, 9])
def test_an_offset_of_another_topic_stops_the_sink_with_both_ways_to_go_on(end: int | None) -> None:
    with pytest.raises(Misconfigured, match=r"audit.events.v1\[3\] was made anew.*old.*new") as stopped:
        journal.read(PLACE, 7, Position(7, end=end).note("old"), "new")
    assert "--group audit-sink --topic audit.events.v1" in stopped.value.remedy
    assert "--to-earliest" in stopped.value.remedy
    assert "--to-current" in stopped.value.remedy


@given(note=st.text(min_size=1).filter(lambda text: text != "\0"))
def test_a_foreign_note_never_stops_the_sink(note: str) -> None:
    resume = journal.read(PLACE, 7, note, "t")
    assert (resume.offset, resume.replay_until) == (7, None)
    assert resume.warning


def test_a_note_of_a_later_version_is_told_and_not_followed() -> None:
    resume = journal.read(PLACE, 7, '{"v":2,"topic":"t","end":9}', "t")
    assert (resume.replay_until, bool(resume.warning)) == (None, True)


def test_a_journal_that_ends_before_it_begins_is_told_and_not_followed() -> None:
    resume = journal.read(PLACE, 7, Position(7, end=6).note("t"), "t")
    assert (resume.replay_until, bool(resume.warning)) == (None, True)


def test_a_token_names_topic_partition_offsets_and_table() -> None:
    assert journal.token("id", 3, [10, 11, 12], "audit_events") == "id:3:10-12:audit_events"


@given(st.sets(OFFSETS, min_size=1, max_size=20), st.sets(OFFSETS, min_size=1, max_size=20))
def test_a_token_stands_for_exactly_its_records(one: set[int], other: set[int]) -> None:
    tokens = [journal.token("t", 0, sorted(offsets), "a") for offsets in (one, other, {*one, *other})]
    same = [one == other, one == {*one, *other}]
    assert [tokens[0] == tokens[1], tokens[0] == tokens[2]] == same
