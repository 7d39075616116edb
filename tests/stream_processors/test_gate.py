"""The gate alone: whatever comes, each record is delivered once, in order, when its window is over."""

import sys
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from audit_schemas.grace import GRACE
from audit_schemas.mark import TICK
from audit_stream_processors.windows.gate import Gate, Part
from audit_stream_processors.windows.outlook import outlook
from audit_stream_processors.windows.stamp import UNKNOWN, Window, stamped

LENGTH = 10
WIDE = 1_000_000


def record(offset: int, start: int | None, *, tick: bool = False, size: int = 3, length: int = LENGTH) -> Any:
    """A record of the window that begins at `start`; None: without a stamp."""
    headers = [] if start is None else stamped(Window(start, start + length))
    return SimpleNamespace(
        offset=offset,
        key=b"",
        value=b"" if tick else b"x" * size,
        headers=[*headers, *([(TICK, b"")] if tick else [])],
        timestamp=1_000_000,
    )


@dataclass
class Log:
    """A partition and its reader: what aiokafka does with positions, seeks and fetches."""

    records: list[Any]
    gate: Gate
    fetch: int = 100
    position: int = 0

    def read(self, *, fetches: int = 10_000) -> list[Part]:
        """Fetch until nothing comes, or so many times."""
        parts: list[Part] = []
        for _ in range(fetches):
            fetched = [record for record in self.records if record.offset >= self.position][: self.fetch]
            if not fetched:
                break
            found = self.gate.take(fetched)
            parts += found.parts
            self.position = fetched[-1].offset + 1 if found.go_back_to is None else found.go_back_to
        return parts


def offsets(parts: list[Part]) -> list[list[int]]:
    return [[record.offset for record in part.records] for part in parts]


def log(*starts: int | None, fetch: int = 100) -> Log:
    return Log([record(offset, start) for offset, start in enumerate(starts)], Gate(WIDE), fetch)


def test_nothing_is_delivered_while_the_window_may_go_on() -> None:
    assert log(10, 10, 10).read() == []


def test_a_later_stamp_sets_all_before_it_free() -> None:
    read = log(10, 10, 20)
    (part,) = read.read()
    assert ([record.offset for record in part.records], part.end, part.proof.offset) == ([0, 1], 2, 2)


def test_a_repeat_of_an_earlier_window_neither_proves_nor_waits_alone() -> None:
    assert offsets(log(20, 10, 20, 30).read()) == [[0, 1, 2]]


def test_what_comes_late_is_delivered_with_the_next_window() -> None:
    assert offsets(log(10, 20, 10, 30).read()) == [[0], [1, 2]]


def test_windows_that_were_missed_are_delivered_one_after_the_other() -> None:
    assert offsets(log(10, 30, 50, 70).read()) == [[0], [1], [2]]


def test_a_record_without_a_stamp_holds_nobody_up() -> None:
    assert offsets(log(None, 10, None, 20).read()) == [[0], [1, 2]]


def test_a_stamp_from_the_future_counts_as_none() -> None:
    ahead = record(1, 2_000_000)
    reader = Log([record(0, 10), ahead, record(2, 10), record(3, 20)], Gate(WIDE))
    assert offsets(reader.read()) == [[0, 1, 2]]


def test_a_stamp_that_is_no_number_counts_as_none() -> None:
    bad = (b"x-20", b"10", b"", None, b"1" * 5000 + b"-1", b"20-10", b"10-10", b"0-99999", "٣-٤".encode())
    odd = [record(number + 1, None) for number in range(len(bad))]
    for found, value in zip(odd, bad, strict=True):
        found.headers = [("window", value)]
    reader = Log([record(0, 10), *odd, record(len(bad) + 1, 20)], Gate(WIDE))
    assert offsets(reader.read()) == [list(range(len(bad) + 1))]


def test_a_part_holds_no_more_records_than_were_fetched_together() -> None:
    parts = log(*[10] * 7, 20, fetch=3).read()
    assert offsets(parts) == [[0, 1, 2], [3, 4, 5], [6]]
    assert [part.end for part in parts] == [3, 6, 7]


def test_a_part_is_cut_by_bytes_and_a_large_record_is_a_part_of_its_own() -> None:
    sizes = [4, 4, 4, 30, 4]
    records = [record(offset, 10, size=size) for offset, size in enumerate(sizes)]
    parts = Log([*records, record(5, 20)], Gate(10)).read()
    assert offsets(parts) == [[0, 1], [2], [3], [4]]


def test_the_gate_keeps_no_record() -> None:
    records = [record(offset, 10) for offset in range(1000)]
    reader = Log([*records, record(1000, 20)], Gate(WIDE))
    before = [sys.getrefcount(found) for found in records]
    reader.read(fetches=15)  # all of it ahead, and some delivered
    assert [sys.getrefcount(found) for found in records] == before


def test_a_window_that_was_made_shorter_opens_nothing_before_the_longer_one_is_over() -> None:
    long = [record(0, 0, length=30), record(1, 10), record(2, 20)]
    reader = Log(long, Gate(WIDE))
    assert reader.read() == []
    reader.records.append(record(3, 30))
    assert offsets(reader.read()) == [[0, 1, 2]]


def test_a_window_that_was_made_longer_opens_nothing_before_it_is_over() -> None:
    reader = Log([record(0, 20), record(1, 0, length=40), record(2, 0, length=40)], Gate(WIDE))
    assert reader.read() == []
    reader.records.append(record(3, 40))
    assert offsets(reader.read()) == [[0, 1, 2]]


def test_records_without_a_stamp_set_each_other_free() -> None:
    assert offsets(log(None, None, None).read()) == [[0], [1]]


def test_what_waits_is_counted_by_window_and_ticks_are_not() -> None:
    gate = Gate(WIDE)
    gate.take([record(0, 10, tick=True), record(1, 10), record(2, 0), record(3, 10)])
    assert Counter({Window(10, 20): 2, Window(0, 10): 1}) == gate.waiting
    seen = outlook([gate], now=10 + GRACE.total_seconds())
    assert (seen.pending, seen.overdue, seen.next_sync, seen.closed_until) == (3, 1, 20, 10)
    assert outlook([gate], now=9 + GRACE.total_seconds()).overdue == 0, "a window that is just being closed"
    assert outlook([gate], now=20 + GRACE.total_seconds()).overdue == 3


def test_what_is_delivered_no_longer_waits() -> None:
    gate = Gate(WIDE)
    Log([record(0, 10), record(1, 10), record(2, 20, tick=True)], gate).read()
    assert (
        (seen := outlook([gate], now=1000)).pending, seen.overdue, seen.next_sync, seen.closed_until
    ) == (0, 0, 30, 20)  # fmt: skip


def test_a_worker_without_partitions_says_nothing() -> None:
    seen = outlook([], now=1000)
    assert (seen.pending, seen.overdue, seen.next_sync, seen.closed_until) == (0, 0, 0, 0)


STAMPS = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 6).map(lambda number: number * LENGTH), st.sampled_from([5, LENGTH, 20])),
        st.none(),
    ),
    max_size=40,
)
"""Start and length: the setting may have been changed in between."""
GAPS = st.lists(st.integers(1, 3), min_size=40, max_size=40)


@given(STAMPS, GAPS, st.integers(1, 7), st.integers(1, 20), st.data())
def test_against_the_model_each_record_comes_once_in_order_and_not_early(
    stamps: list[tuple[int, int] | None],
    gaps: list[int],
    fetch: int,
    most_bytes: int,
    data: st.DataObject,
) -> None:
    """With gaps in the offsets, and restarts at what was delivered or anywhere before it."""
    records, offset = [], 0
    for given_stamp, gap in zip(stamps, gaps, strict=False):
        start, length = given_stamp or (None, LENGTH)
        records.append(record(offset, start, length=length))
        offset += gap
    reader = Log(records, Gate(most_bytes), fetch)
    delivered: list[int] = []
    committed = 0
    for _ in range(data.draw(st.integers(0, 3), label="restarts")):
        parts = reader.read(fetches=data.draw(st.integers(0, 30), label="fetches before the restart"))
        done = parts[: data.draw(st.integers(0, len(parts)), label="parts committed")]
        committed = done[-1].end if done else committed
        delivered += [number for part in done for number in offsets([part])[0]]
        reader = Log(records, Gate(most_bytes), fetch, position=committed)
    parts = reader.read()
    delivered += [number for numbers in offsets(parts) for number in numbers]

    assert expected(records, committed, delivered) == delivered
    assert all(len(part.records) <= fetch for part in parts)
    assert all(
        len(part.records) == 1 or sum(len(record.value) for record in part.records) <= most_bytes
        for part in parts
    )
    for part in parts:
        assert part.records[-1].offset < part.end <= part.proof.offset
        assert all(stamp(found).end <= stamp(part.proof).start for found in part.records), "early"
    assert all(earlier.end <= later.records[0].offset for earlier, later in pairwise(parts))


def stamp(found: Any) -> Window:
    value = dict(found.headers).get("window")
    return UNKNOWN if value is None else Window(*map(int, value.split(b"-")))


def expected(records: list[Any], committed: int, delivered: list[int]) -> list[int]:
    """The model: what lies before a record that begins when all of it is over falls, again and again."""
    before = [record.offset for record in records if record.offset < committed]
    left = [record for record in records if record.offset >= committed]
    while proofs := [
        index
        for index in range(1, len(left))
        if stamp(left[index]).start >= max(stamp(found).end for found in left[:index])
    ]:
        before += [found.offset for found in left[: proofs[0]]]
        left = left[proofs[0] :]
    assert delivered == sorted(set(delivered)), "twice, or out of order"
    return before
