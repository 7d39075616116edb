import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_schemas.topics import DEAD_LETTERS, EVENTS
from audit_sinks.batches import Batch, MarkRow, Place, Refusal, Row
from audit_sinks.errors import Misconfigured
from audit_sinks.refusal_limit import check, in_a_row

PLACE = Place(EVENTS.name, 1)


def refusal(offset: int) -> Refusal:
    return Refusal(offset, None, "invalid", "no account")


def block(kinds: str, *, before: int = 0) -> Batch:
    """A block of good (g), refused (r), marking (m) records, tombstones (t), rows to be rejected (x)."""
    batch = Batch(0, 0, refused_before=before)
    for offset, kind in enumerate(kinds):
        row = Row(offset, b"{}", None)
        batch.add(offset, {"g": row, "x": row, "r": refusal(offset), "m": MarkRow(row), "t": None}[kind])
    return batch


def rejected(kinds: str) -> list[Refusal]:
    return [refusal(offset) for offset, kind in enumerate(kinds) if kind == "x"]


@pytest.mark.parametrize(
    ("kinds", "before", "after"),
    [
        ("g", 5, 0),
        ("rr", 5, 7),
        ("rgrr", 5, 2),
        ("rrrg", 5, 0),
        ("gxr", 5, 2),
        ("xx", 5, 7),
        ("mtm", 5, 5),
        ("rmtr", 5, 7),
        ("grm", 5, 1),
        ("", 5, 5),
    ],
)
def test_only_a_stored_record_ends_a_row_of_refused_ones(kinds: str, before: int, after: int) -> None:
    assert in_a_row(block(kinds, before=before), rejected(kinds)) == after


@given(st.text("grxmt", max_size=60), st.sets(st.integers(0, 60)))
def test_however_records_are_cut_into_blocks_the_row_is_as_long(kinds: str, cuts: set[int]) -> None:
    ends = [*sorted(cut for cut in cuts if cut < len(kinds)), len(kinds)]
    found, begin = 0, 0
    for end in ends:
        found = in_a_row(block(kinds[begin:end], before=found), rejected(kinds[begin:end]))
        begin = end
    rest = kinds[kinds.rfind("g") + 1 :]
    assert found == rest.count("r") + rest.count("x")


@pytest.mark.parametrize(
    ("kinds", "before"), [("rrrrrr", 0), ("r", 5), ("rxr", 3), ("xxxxxx", 0), ("rgrgrxgrxg", 0)]
)
def test_more_than_the_limit_in_a_row_or_of_one_block_stop_the_sink(kinds: str, before: int) -> None:
    with pytest.raises(Misconfigured, match=r"audit\.events\.v1\[1\].*is more than 5.*no account"):
        check(PLACE, block(kinds, before=before), rejected(kinds), limit=5)


@pytest.mark.parametrize(("kinds", "before"), [("rrrrr", 0), ("rx", 3), ("rmmmmmm", 4), ("gggggggg", 5)])
def test_up_to_the_limit_the_sink_goes_on(kinds: str, before: int) -> None:
    check(PLACE, block(kinds, before=before), rejected(kinds), limit=5)


def test_without_a_limit_any_number_is_refused() -> None:
    check(PLACE, block("r" * 50, before=10**9), [], limit=0)


def test_what_is_told_leads_to_the_records_and_says_how_to_go_on() -> None:
    batch = block("rr")
    batch.first, batch.last = 40, 41
    with pytest.raises(Misconfigured) as stopped:
        check(PLACE, batch, [], limit=1)
    assert "from offset 40 on" in stopped.value.remedy
    assert "AUDIT_SINK_REFUSAL_LIMIT=0 lets them pass (dead letters)" in stopped.value.remedy
    with pytest.raises(Misconfigured) as stopped:
        check(Place(DEAD_LETTERS.name, 0), batch, [], limit=1)
    assert "the log of this worker" in stopped.value.remedy
