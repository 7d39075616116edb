"""What is noted on an event."""

from audit_schemas.wording.notes import note, phrase_of, value_of


def test_a_note_is_counted_by_its_phrase_and_its_value_is_cut() -> None:
    text = note("unknown module", "x" * 500)
    assert (phrase_of(text), len(text)) == ("unknown module", 116)


def test_a_note_gives_its_value_back() -> None:
    assert [value_of(note("unknown module", "a: b")), value_of(note("unknown module"))] == ["a: b", ""]
