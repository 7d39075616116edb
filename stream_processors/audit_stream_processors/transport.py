"""A Faust transport in which one message is one run of records of a partition.

Faust spends about 85 µs on each message before any code of an agent's; here it spends them on
thousands of records at once. The transport is aiokafka's with six things changed:

- what a fetch brought from one partition is one message, a `Run`;
- the committable offset is the end of the finished prefix of the delivered runs. Faust itself
  acknowledges also what it skipped and what was cancelled, and counts a run's own records as a gap
  which a later acknowledgement closes: either would commit past records that nobody processed. So
  only `Run.finish` counts, and only the agent calls it;
- what is read ahead is bounded in whole runs. Faust pauses each partition that has a message waiting,
  and sleeps for a second when all are paused; here the next fetch waits until a run is finished;
- a gated topic is read ahead, and its records are delivered when its `Gate` says so;
- a note stands beside each offset that is committed, see `Notes`;
- nothing is passed over in silence: a new group begins at the first record, and an offset that the
  broker no longer has, or that another topic of that name had, ends the worker.

It is registered in the entry-point group `faust.transports`; a broker's URL is
`kafka-batches://host:port`. A topic's stream has one agent and no concurrency. The private hooks of
Faust and aiokafka that it overrides or calls are held by a test.
"""

import asyncio
import logging
import os
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn, cast

import faust
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaConnectionError,
    KafkaError,
    OffsetOutOfRangeError,
)
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import ConsumerMessage

from audit_schemas.errors import Misconfigured
from audit_stream_processors.notes import Notes
from audit_stream_processors.windows.gate import Gate

SCHEME = "kafka-batches"
RUNS_AHEAD = 4
"""At most so many runs are delivered and unfinished, in all partitions together: it bounds the memory."""
_LOOK_SECONDS = 1.0
"""How often a wait for room looks whether the flow is to be suspended."""
FAILED = 1
"""The exit code of a worker that an agent's failure has ended."""

_RETRY = 1.0
"""Seconds between two attempts to connect at the start."""


def _nothing() -> None:
    pass


class Run:
    """Consecutive records of one partition, in order."""

    __slots__ = ("end", "finished", "proof", "records", "seeks", "start", "when_finished")

    def __init__(
        self, records: Sequence[Any], *, start: int | None, end: int, seeks: int, proof: Any = None
    ) -> None:
        self.records = records
        """aiokafka's ConsumerRecord: key, value, headers, offset, timestamp, …"""
        self.start = start
        """The end of the run before; nothing for the first one after a seek."""
        self.end = end
        """The partition's position after the records: the offset to commit."""
        self.seeks = seeks
        """The consumer's number of seeks when the records were fetched."""
        self.proof = proof
        """Of a gated topic: the record that set these free."""
        self.finished = False
        self.when_finished: Callable[[], object] = _nothing

    @property
    def topic(self) -> str:
        """The topic of all of its records."""
        name: str = self.records[0].topic
        return name

    @property
    def partition(self) -> int:
        """The partition of all of its records."""
        number: int = self.records[0].partition
        return number

    def finish(self) -> None:
        """All that was made of the run is safe: it may be committed. Called in the event loop."""
        self.finished = True
        self.when_finished()


class RunSchema(faust.Schema[None, Run]):
    """Hands the agent the Run as it is: decoding is the agent's own."""

    def loads_key(self, app: Any, message: Any, **kwargs: Any) -> None:
        """A run has no key."""

    def loads_value(self, app: Any, message: Any, **kwargs: Any) -> Run:  # noqa: ARG002
        """The run."""
        run: Run = message.value
        return run


def leave(
    message: str, *, error: BaseException | None = None, remedy: str = "", code: int = FAILED
) -> NoReturn:
    """End the process at once: whatever is not committed comes again after the next start."""
    text = f"{message}; {remedy}" if remedy else message
    logging.getLogger(__name__).critical(text, exc_info=error)
    logging.shutdown()
    os._exit(code)


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Fetches; runs in a thread and an event loop of its own."""

    transport: "Transport"
    seeks = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._ends: dict[Any, int] = {}  # partition -> end of the last run since the seek

    async def on_start(self) -> None:
        """Connect, and again while Kafka is away: it may have gone since it was last asked."""
        while not self.should_stop:
            try:
                await super().on_start()
            except KafkaConnectionError as error:
                logging.getLogger(__name__).warning("waiting for Kafka: %s", error)
                if self._consumer is not None:
                    await self._consumer.stop()
                await asyncio.sleep(_RETRY)
            else:
                return

    async def seek_to_committed(self) -> Mapping[Any, Any]:
        """Go back to what is committed, and to the beginning where nothing is."""
        committed: Mapping[Any, int | None] = await self.call_thread(self._seek_to_committed)
        return committed

    async def _seek_to_committed(self) -> Mapping[Any, int | None]:
        consumer = self._ensure_consumer()
        found = await consumer._coordinator.fetch_committed_offsets(list(consumer.assignment()))  # noqa: SLF001
        committed = {
            tp: found[tp].offset if tp in found and found[tp].offset >= 0 else None
            for tp in consumer.assignment()
        }
        # No await from here to the last seek: no fetch comes in between.
        self.seeks += 1
        self._ends.clear()
        try:
            self.transport.notes.begin({tp: at.metadata for tp, at in found.items()}, seeks=self.seeks)
        except Misconfigured as error:
            leave(error.message, remedy=error.remedy)
        self.transport.gates = {
            tp: gate() for tp in committed if (gate := self.transport.gated.get(tp.topic))
        }
        for tp, offset in committed.items():
            if offset is not None:
                consumer.seek(tp, offset)
        # aiokafka's own seek_to_committed leaves these wherever they are.
        new = [tp for tp, offset in committed.items() if offset is None]
        if new:
            await consumer.seek_to_beginning(*new)
        return committed

    async def _commit(self, offsets: Mapping[Any, int]) -> bool:
        """Faust's own, with a note beside each offset."""
        consumer = self._ensure_consumer()
        assigned = {tp: offset for tp, offset in offsets.items() if tp in self.assignment()}
        self.tp_last_committed_at.update(dict.fromkeys(assigned, time.monotonic()))
        noted = {
            TopicPartition(tp.topic, tp.partition): OffsetAndMetadata(
                offset, self.transport.notes.text(tp, offset)
            )
            for tp, offset in assigned.items()
        }
        try:
            await consumer.commit(noted)
        except CommitFailedError as error:
            if "already rebalanced" in str(error):
                return False
            leave(f"cannot commit: {error}", error=error)
        except (KafkaError, IllegalStateError) as error:
            leave(f"cannot commit: {error}", error=error)
        return True

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: Any,
        timeout: float | None = None,  # noqa: ASYNC109 - the hook's own
        max_records: int | None = None,
    ) -> dict[Any, list[Run]]:
        try:
            fetched = await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        except OffsetOutOfRangeError as error:
            leave(_out_of_range(error), remedy=_OUT_OF_RANGE_REMEDY)
        except UnicodeDecodeError as error:
            places = ", ".join(f"{tp.topic}[{tp.partition}]" for tp in active_partitions or ())
            leave(f"a record's header has a name that is no UTF-8: {error}, in one of {places}", remedy=_NAME)
        # No other coroutine of this thread has run since the records were taken, so the positions
        # are those right after them.
        subscription = consumer._subscription.subscription  # noqa: SLF001
        assignment = subscription and subscription.assignment
        if not assignment:
            return {}
        return {
            tp: runs
            for tp, records in fetched.items()
            if records and tp in assignment.tps
            if (runs := self._runs(consumer, tp, records, assignment.state_value(tp).position))
        }

    def _runs(self, consumer: Any, tp: Any, records: Sequence[Any], position: int) -> list[Run]:
        gate = self.transport.gate_of(tp)
        if gate is None:
            return [self._run(tp, records, position)]
        parts, go_back_to = gate.take(records)
        if go_back_to is not None:
            consumer.seek(tp, go_back_to)
        return [self._run(tp, part.records, part.end, part.proof) for part in parts]

    def _run(self, tp: Any, records: Sequence[Any], end: int, proof: Any = None) -> Run:
        start, self._ends[tp] = self._ends.get(tp), end
        return Run(records, start=start, end=end, seeks=self.seeks, proof=proof)


_OUT_OF_RANGE_REMEDY = (
    "records were deleted before they were processed, or the topic was made anew: find out what is "
    "missing, then set the group's offsets with kafka-consumer-groups.sh --reset-offsets"
)
_NAME = (
    "find the record with kafka-console-consumer.sh --property print.headers=true, and pass it over with "
    "kafka-consumer-groups.sh --reset-offsets"
)


def _out_of_range(error: OffsetOutOfRangeError) -> str:
    places = ", ".join(f"{tp.topic}[{tp.partition}] at {offset}" for tp, offset in error.args[0].items())
    return f"Kafka no longer has the next record to process: {places}"


class Consumer(driver.Consumer):
    """Delivers runs to the agents and knows how far to commit."""

    _thread: ConsumerThread
    transport: "Transport"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._runs: dict[Any, deque[Run]] = defaultdict(deque)  # delivered, unfinished first
        self._ends: dict[Any, int] = {}  # partition -> end of the last run delivered
        self._done: dict[Any, int] = {}  # partition -> end of the finished prefix
        self._room = asyncio.Event()  # set when there may be room for another run

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(
        self,
        active_partitions: Any,
        timeout: float,  # noqa: ASYNC109 - the hook's own
    ) -> dict[Any, list[Run]]:
        await self._wait_for_room()
        fetched = await super()._getmany(active_partitions, timeout)
        seeks = self._thread.seeks
        return {tp: runs for tp, runs in fetched.items() if runs[0].seeks == seeks}

    async def _wait_for_room(self) -> None:
        while self._unfinished() >= RUNS_AHEAD and self.flow_active and not self.should_stop:
            self._room.clear()
            await self.wait(cast("Any", self._room), timeout=_LOOK_SECONDS)

    def _unfinished(self) -> int:
        return sum(not run.finished for runs in self._runs.values() for run in runs)

    def on_buffer_full(self, tp: Any) -> None:
        """Nothing: waiting for room bounds what is read ahead."""

    def on_buffer_drop(self, tp: Any) -> None:
        """Nothing: no partition was paused."""

    def _to_message(self, tp: Any, run: Run) -> ConsumerMessage:
        if run.start != self._ends.get(tp):
            raise RuntimeError(f"{tp}: a run after {run.start}, but {self._ends.get(tp)} was the last")
        self._ends[tp] = run.end
        self._new_offset(tp)  # lets go of the runs that are finished
        self._runs[tp].append(run)
        run.when_finished = self._room.set
        last = run.records[-1]
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=run.end - 1,
            timestamp=last.timestamp / 1000,
            timestamp_type=last.timestamp_type,
            headers=None,
            key=None,
            value=cast("Any", run),
            checksum=None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[Any]:
        return (tp for tp in list(self._runs) if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: Any) -> int | None:
        self._acked[tp].clear()  # Faust's own account, one entry for each message
        self._acked_index[tp].clear()
        runs = self._runs[tp]
        while runs and runs[0].finished:
            self._done[tp] = runs.popleft().end
        return self._done.get(tp)

    async def _add_gap(self, tp: Any, offset_from: int, offset_to: int) -> None:
        """Nothing: between two runs there is no gap."""

    async def perform_seek(self) -> None:
        """Go back to what is committed; what was delivered since then comes again."""
        await super().perform_seek()
        self._runs.clear()
        self._ends.clear()
        self._done.clear()

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Wait for the run in hand, commit, and forget the partitions."""
        await super().on_partitions_revoked(revoked)
        for tp in revoked:
            self._runs.pop(tp, None)
            self._done.pop(tp, None)

    def verify_event_path(self, now: float, tp: Any) -> None:
        """Faust's look for a livelock; a gate that waits for its window is none."""
        if tp.topic not in self.transport.gated:
            super().verify_event_path(now, tp)

    async def on_task_error(self, exc: BaseException) -> None:
        """Leave: Faust would commit, and go on behind the records that failed."""
        leave(f"an agent failed: {exc}", error=exc)


class Producer(driver.Producer):
    """Sends nothing, since each lane has a producer of its own; so it needs no connection."""

    async def on_start(self) -> None:
        """Begin without a client: one would have to find Kafka first."""


class Transport(driver.Transport):
    """Faust's aiokafka transport with runs for messages."""

    Consumer = Consumer
    Producer = Producer

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gated: Mapping[str, Callable[[], Gate]] = {}
        """By topic: makes the gate of a partition."""
        self.notes = Notes()
        """What is committed beside the offsets."""
        self.gates: dict[Any, Gate] = {}
        """By partition, since the last seek; they belong to the thread that fetches, others may look."""

    def gate_of(self, tp: Any) -> Gate | None:
        """A partition's gate; nothing where its topic has none."""
        if tp.topic not in self.gated:
            return None
        if tp not in self.gates:
            self.gates[tp] = self.gated[tp.topic]()
        return self.gates[tp]
