"""The batch transport's rule: nothing is committed before all that lies before it is finished."""

import asyncio
from collections.abc import Coroutine, Iterator
from itertools import accumulate
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from faust.transport.consumer import Consumer as StockConsumer
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from audit_stream_processors.transport import SCHEME, Consumer, Run

PLACE = TP("changes", 0)


LOOP = asyncio.new_event_loop()
APP = faust.App("test", broker=f"{SCHEME}://127.0.0.1:1", store="memory://", loop=LOOP)
APP.topics.acks_enabled_for = bool  # type: ignore[method-assign,assignment]


@pytest.fixture(scope="module", autouse=True)
def _closed_loop() -> Iterator[None]:
    yield
    LOOP.close()


class Threadless(Consumer):
    """Without the thread that fetches."""

    def _new_consumer_thread(self) -> Any:
        return SimpleNamespace(seeks=0, beacon=None)


class Stock(Threadless):
    """With Faust's own account of what is acknowledged, and of gaps."""

    _add_gap = StockConsumer._add_gap
    _new_offset = StockConsumer._new_offset
    _filter_tps_with_pending_acks = StockConsumer._filter_tps_with_pending_acks


class Harness:
    """A consumer without a broker, with the runs that were delivered."""

    def __init__(self, kind: type[Any] = Threadless) -> None:
        self.consumer = kind(
            APP.transport, asyncio.sleep, on_partitions_revoked=None, on_partitions_assigned=None, loop=LOOP
        )
        self.runs: list[Run] = []
        self.messages: list[Any] = []

    def deliver(self, first: int, last: int) -> None:
        """Deliver the records from first to last as one run."""
        start = self.runs[-1].end if self.runs else None
        records = [SimpleNamespace(offset=number, timestamp=0, timestamp_type=1) for number in (first, last)]
        run = Run(records, start=start, end=last + 1, seeks=0)
        self.messages.append(self.consumer._to_message(PLACE, run))
        self.runs.append(run)

    def faust_acknowledges(self, number: int) -> None:
        """What Faust does with every message that it has handed out, or thrown away."""
        self.consumer.ack(self.messages[number])

    def committable(self) -> dict[Any, int]:
        consumer = self.consumer
        return dict(consumer._filter_committable_offsets(list(consumer._filter_tps_with_pending_acks())))


def wait_for(work: Coroutine[Any, Any, Any]) -> Any:
    return LOOP.run_until_complete(work)


@pytest.fixture
def harness() -> Harness:
    return Harness()


def test_nothing_is_committable_before_the_first_run_is_finished(harness: Harness) -> None:
    harness.deliver(0, 9)
    harness.deliver(10, 19)
    harness.runs[1].finish()
    assert harness.committable() == {}


def test_the_end_of_the_finished_prefix_is_committable(harness: Harness) -> None:
    for first in (0, 10, 20):
        harness.deliver(first, first + 9)
    harness.runs[0].finish()
    harness.runs[2].finish()
    assert harness.committable() == {PLACE: 10}


def test_what_faust_acknowledges_by_itself_is_not_committed(harness: Harness) -> None:
    harness.deliver(0, 9)
    harness.faust_acknowledges(0)
    assert harness.committable() == {}


def test_a_run_that_follows_another_than_the_last_is_refused(harness: Harness) -> None:
    harness.deliver(0, 9)
    stray = Run(harness.runs[0].records, start=5, end=20, seeks=0)
    with pytest.raises(RuntimeError, match="a run after 5, but 10 was the last"):
        harness.consumer._to_message(PLACE, stray)


def test_after_a_seek_the_runs_delivered_before_it_count_no_longer(harness: Harness) -> None:
    harness.deliver(0, 9)

    async def committed() -> dict[Any, int | None]:
        return {PLACE: None}

    harness.consumer.seek_to_committed = committed
    wait_for(harness.consumer.perform_seek())
    harness.runs[0].finish()
    assert harness.committable() == {}


def test_runs_fetched_before_a_seek_are_dropped(harness: Harness) -> None:
    harness.consumer._thread = SimpleNamespace(seeks=2, getmany=None)

    async def fetched(*_: Any) -> dict[Any, list[Run]]:
        return {
            PLACE: [Run([], start=None, end=1, seeks=1)],
            TP("changes", 1): [Run([], start=None, end=1, seeks=2)],
        }

    harness.consumer._thread.getmany = fetched
    assert [TP("changes", 1)] == list(wait_for(harness.consumer._getmany(set(), 1.0)))


def test_gaps_between_offsets_are_no_business_of_ours(harness: Harness) -> None:
    harness.deliver(0, 9)
    wait_for(harness.consumer._add_gap(PLACE, 0, 9))
    assert harness.committable() == {}


def test_stock_faust_commits_past_a_run_that_is_not_acknowledged() -> None:
    """The negative control: with Faust's own account the rule does not hold."""
    stock = Harness(Stock)
    stock.deliver(0, 9)
    stock.deliver(10, 19)
    wait_for(stock.consumer._add_gap(PLACE, 10, 19))  # as Faust does between offsets 9 and 19
    stock.faust_acknowledges(1)
    assert stock.committable() == {PLACE: 20}, "Faust has become right: the transport could become smaller"


@given(st.lists(st.integers(1, 50), min_size=1, max_size=12), st.data())
def test_the_committable_offset_is_always_the_end_of_the_finished_prefix(sizes: list[int], data: Any) -> None:
    harness = Harness()
    ends = list(accumulate(sizes))
    for end, size in zip(ends, sizes, strict=True):
        harness.deliver(end - size, end - 1)
    finished: set[int] = set()
    for number in data.draw(st.permutations(range(len(sizes)))):
        harness.runs[number].finish()
        if data.draw(st.booleans()):
            harness.faust_acknowledges(number)
        finished.add(number)
        prefix = next(count for count in range(len(sizes) + 1) if count not in finished)
        assert ({PLACE: ends[prefix - 1]} if prefix else {}) == harness.committable()
