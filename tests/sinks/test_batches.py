from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from audit_sinks.batches import Batch, Collector, Limits, MarkRow, Place, Refusal, Row

PLACE = Place("t", 0)
OTHER = Place("t", 1)
LIMITS = Limits(rows=10, bytes=1000, seconds=0.5)


def row(offset: int) -> Row:
    return Row(offset, b"{}", None)


def filled(collector: Collector, offsets: list[int], place: Place = PLACE, now: float = 0.0) -> Collector:
    for offset in offsets:
        collector.add(place, offset, row(offset), size=10, now=now)
    return collector


def begun(offset: int = 0, replay_until: int | None = None) -> Collector:
    collector = Collector(LIMITS)
    collector.assign(PLACE, offset, replay_until)
    return collector


def ranges(taken: dict[Place, Batch]) -> dict[Place, tuple[int, int, list[int]]]:
    return {place: (b.first, b.last, [r.offset for r in b.rows]) for place, b in taken.items()}


def test_nothing_is_due_before_something_came() -> None:
    assert not begun().due(1e9)


def test_rows_bytes_and_time_each_close_a_batch() -> None:
    assert not filled(begun(), [1, 2]).due(0.4)
    assert filled(begun(), [1, 2]).due(0.5)
    assert filled(begun(), list(range(10))).due(0.0)
    large = begun()
    large.add(PLACE, 1, row(1), size=1000, now=0.0)
    assert large.due(0.0)


def test_a_batch_spans_gaps_and_remembers_its_ends() -> None:
    assert ranges(filled(begun(), [3, 7, 20]).take()) == {PLACE: (3, 20, [3, 7, 20])}


def test_refusals_and_tombstones_pass_with_the_batch() -> None:
    collector = begun()
    collector.add(PLACE, 1, Refusal(1, None, "invalid", "x"), size=1, now=0)
    collector.add(PLACE, 2, None, size=0, now=0)
    batch = collector.take()[PLACE]
    assert (batch.first, batch.last, batch.rows, len(batch.refusals)) == (1, 2, [], 1)


def test_a_mark_is_kept_apart_from_the_rows_of_its_batch() -> None:
    collector = begun()
    collector.add(PLACE, 1, MarkRow(row(1)), size=1, now=0)
    collector.add(PLACE, 2, row(2), size=1, now=0)
    batch = collector.take()[PLACE]
    assert (batch.rows, batch.marks) == ([row(2)], [row(1)])


def test_a_replay_is_cut_where_it_was() -> None:
    collector = filled(begun(5, replay_until=8), [5, 6, 7, 8, 9, 10])
    assert collector.due(0.0)
    assert ranges(collector.take()) == {PLACE: (5, 8, [5, 6, 7, 8])}
    assert ranges(collector.take()) == {PLACE: (9, 10, [9, 10])}


def test_a_replay_waits_for_its_end_while_others_go_on() -> None:
    collector = begun(5, replay_until=8)
    collector.assign(OTHER, 0, None)
    filled(collector, [5, 6])
    filled(collector, [0, 1], OTHER)
    assert ranges(collector.take()) == {OTHER: (0, 1, [0, 1])}
    filled(collector, [7, 8])
    assert ranges(collector.take()) == {PLACE: (5, 8, [5, 6, 7, 8])}


def test_a_replay_whose_ends_were_compacted_away_keeps_its_range() -> None:
    collector = filled(begun(5, replay_until=8), [6, 12])
    assert ranges(collector.take()) == {PLACE: (5, 8, [6])}
    assert ranges(collector.take()) == {PLACE: (12, 12, [12])}


def test_the_end_of_the_partition_ends_a_replay() -> None:
    collector = filled(begun(5, replay_until=8), [6])
    assert not collector.due(0.0)
    collector.end_reached(PLACE, 12)
    assert collector.due(0.0)
    assert ranges(collector.take()) == {PLACE: (5, 8, [6])}
    assert collector.empty


def test_a_replay_of_a_log_that_has_become_shorter_passes_nothing_that_may_come_there_yet() -> None:
    collector = filled(begun(5, replay_until=8), [5, 6])
    collector.end_reached(PLACE, 7)
    filled(collector, [7, 8])
    assert ranges(collector.take()) == {PLACE: (5, 6, [5, 6])}
    assert ranges(collector.take()) == {PLACE: (7, 8, [7, 8])}


def test_what_waits_behind_a_replay_is_due_at_once() -> None:
    collector = filled(begun(5, replay_until=6), [5, 6, 7])
    collector.take()
    assert collector.due(0.0)


def test_a_partition_that_is_no_longer_ours_is_forgotten() -> None:
    collector = filled(begun(), [1, 2])
    collector.clear()
    assert collector.empty
    assert not collector.owns(PLACE)
    assert not collector.due(1e9)


@given(
    offsets=st.lists(st.integers(0, 1000), min_size=1, unique=True).map(sorted),
    cuts=st.sets(st.integers(0, 1000)),
    replay=st.none() | st.integers(0, 1000),
)
def test_every_record_is_in_one_batch_and_in_order(
    offsets: list[int], cuts: set[int], replay: int | None
) -> None:
    collector = begun(0, replay)
    taken: list[Batch] = []
    for offset in offsets:
        collector.add(PLACE, offset, row(offset), size=1, now=0.0)
        if offset in cuts:
            taken += collector.take().values()
    collector.end_reached(PLACE, 1001)
    while not collector.empty:
        taken += collector.take().values()
    assert [r.offset for batch in taken for r in batch.rows] == offsets
    assert all(before.last < after.first for before, after in pairwise(taken))
    assert all(batch.first <= r.offset <= batch.last for batch in taken for r in batch.rows)
