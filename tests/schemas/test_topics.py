"""Topics are data, and their sizes a ladder."""

from audit_schemas import topics


def test_what_fits_into_one_stage_fits_grown_into_the_next() -> None:
    ladder = [topics.SDK_LIMIT, topics.CHANGES.limit, topics.EVENTS.limit, topics.DEAD_LETTERS.limit]

    assert ladder == sorted(set(ladder))


def test_raw_bytes_of_any_accepted_change_fit_into_a_dead_letter_as_base64() -> None:
    assert topics.CHANGES.limit * 4 / 3 < topics.DEAD_LETTERS.limit - topics.KIB


def test_no_producers_clock_decides_about_retention() -> None:
    assert {topic.config()["message.timestamp.type"] for topic in topics.TOPICS.values()} == {"LogAppendTime"}


def test_the_directory_is_compacted_and_the_rest_is_kept_by_time() -> None:
    compacted = {
        topic.name for topic in topics.TOPICS.values() if topic.config()["cleanup.policy"] == "compact"
    }

    assert compacted == {topics.ACCOUNTS.name, topics.ACTORS.name}
