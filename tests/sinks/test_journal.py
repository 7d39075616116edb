from hypothesis import given
from hypothesis import strategies as st

from audit_sinks import journal

OFFSETS = st.integers(min_value=0, max_value=2**63 - 1)


@given(first=OFFSETS, size=st.integers(0, 2**20), topic=st.text(min_size=1))
def test_what_is_written_before_an_insert_is_replayed_exactly(first: int, size: int, topic: str) -> None:
    resume = journal.read(first, journal.write(topic, first + size), topic)
    assert resume == journal.Resume(first, replay_until=first + size)


def test_a_commit_without_metadata_goes_on_from_its_offset() -> None:
    assert journal.read(7, "", "t") == journal.Resume(7)


def test_another_topics_journal_is_not_followed_but_told() -> None:
    resume = journal.read(7, journal.write("old", 9), "new")
    assert (resume.offset, resume.replay_until) == (7, None)
    assert "old" in resume.warning


@given(metadata=st.text(min_size=1))
def test_foreign_metadata_never_stops_the_sink(metadata: str) -> None:
    resume = journal.read(7, metadata, "t")
    assert resume.offset == 7
    assert resume.replay_until is None
    assert resume.warning


def test_a_journal_of_a_later_version_is_told_and_not_followed() -> None:
    assert journal.read(7, '{"v":2,"topic":"t","end":9}', "t").warning


def test_a_journal_that_ends_before_it_begins_is_told_and_not_followed() -> None:
    assert journal.read(7, journal.write("t", 6), "t").warning


def test_a_token_names_topic_partition_offsets_and_table() -> None:
    assert journal.token("id", 3, 10, 20, "audit_events") == "id:3:10-20:audit_events"
