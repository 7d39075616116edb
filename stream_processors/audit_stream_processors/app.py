"""A Faust app: one agent that hands each run to a lane and acknowledges it when Kafka has all of it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

import faust
from faust.types import EventT, StreamT

from audit_schemas import metrics
from audit_schemas.kill_points import at, nothing
from audit_schemas.topics import MIB, Topic
from audit_stream_processors.delivery import Stopped
from audit_stream_processors.settings import WorkerSettings
from audit_stream_processors.transport import SCHEME, Run, RunSchema, Transport, leave
from audit_stream_processors.windows.gate import Gate

T = TypeVar("T")

_FETCH = 4 * MIB
"""Bytes of one partition in one answer of the broker; a larger record comes alone."""
_TOPICS_AGE_MS = 3_000


class Lane(Protocol):
    """Processes the runs of some of the partitions, one after the other."""

    def process(self, run: Run, refused: int) -> int:
        """Make all of a run's records and hand them to Kafka; may block while Kafka does not take them.

        Args:
            run: the next one of its partition.
            refused: how many records of the partition were refused in a row before it.

        Returns:
            How many they are after it.
        """

    def finish(self) -> None:
        """Wait until Kafka has all of it; blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """What an app reads."""

    group: str
    topic: Topic
    run_records: int
    """At most so many records in one run."""
    gate: Callable[[], Gate] | None = None
    """Makes the gate of a partition, where the topic's records wait for one."""


def app_of(
    part: str, source: Input, settings: WorkerSettings, lanes: Sequence[Lane], *, datadir: str
) -> faust.App:
    """Make the app.

    Args:
        part: the worker's name.
        source: what it reads.
        settings: the worker's.
        lanes: while one waits for Kafka, another one works. A partition keeps its lane, and a lane
            begins a run when the one before is finished: that keeps the order.
        datadir: where Faust may put its files; nothing of ours is in there.
    """
    app = faust.App(
        source.group,
        broker=[f"{SCHEME}://{server.strip()}" for server in settings.kafka.split(",")],
        datadir=datadir,
        store="memory://",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="none",  # neither end is right when an offset is lost
        # A broker that has just started may not show the topic to whoever divides its partitions: nobody gets
        # any then until the topics are asked for again, which aiokafka does every five minutes by itself.
        consumer_metadata_max_age_ms=_TOPICS_AGE_MS,
        consumer_max_fetch_size=max(source.topic.limit, _FETCH),
        broker_max_poll_records=source.run_records,
        # Who does not poll for so long is put out of the group, and then neither rejoins nor leaves: so we
        # leave well before.
        broker_max_poll_interval=2 * settings.processor_stall_seconds,
        broker_commit_interval=settings.processor_commit_seconds,
        broker_session_timeout=6.0,
        broker_heartbeat_interval=2.0,
        stream_wait_empty=True,
    )
    transport = cast("Transport", app.transport)
    if source.gate is not None:
        transport.gated = {source.topic.name: source.gate}

    stall = settings.processor_stall_seconds
    delivered = at(f"{part}.delivered", Run.finish)
    acknowledged = at(f"{part}.acknowledged", nothing)
    finishing: dict[int, asyncio.Task[None]] = {}

    @app.agent(app.topic(source.topic.name, schema=RunSchema()), name=source.group)
    async def working(runs: StreamT[Run]) -> None:
        async for event in cast("faust.Stream[Run]", runs).noack().events():
            run = cast("Run", event.value)
            number = run.partition % len(lanes)
            if number in finishing:
                await finishing[number]
            began = time.monotonic()
            tp = event.message.tp
            refused = await _or_leave(
                run, stall, lanes[number].process, run, transport.notes.refused_before(tp)
            )
            transport.notes.processed(tp, end=run.end, refused=refused, seeks=run.seeks)
            metrics.REFUSED_IN_A_ROW.labels(part).set(transport.notes.longest)
            finishing[number] = asyncio.create_task(finish(lanes[number], runs, event, began))

    async def finish(lane: Lane, runs: StreamT[Run], event: EventT[Run], began: float) -> None:
        run = cast("Run", event.value)
        await _or_leave(run, stall, lane.finish)
        delivered(run)
        await runs.ack(event)
        acknowledged()
        metrics.RUN_SECONDS.observe(time.monotonic() - began)

    return app


async def _or_leave(run: Run, stall: float, work: Callable[..., T], *arguments: Any) -> T:
    """Do what may block in a thread; whatever fails, or takes too long, the run must not be committed."""
    try:
        return await asyncio.wait_for(asyncio.to_thread(work, *arguments), stall)
    except TimeoutError:
        leave(f"{place_of(run)} has been in hand for {stall:.0f} s: it comes again after the next start")
    except Stopped:
        leave(f"Kafka does not answer: {place_of(run)} comes again after the next start", code=0)
    except Exception as error:  # noqa: BLE001 - there is no error that allows to go on
        remedy = getattr(error, "remedy", "")
        leave(f"cannot process {place_of(run)}: {error}", error=error, remedy=remedy)


def place_of(run: Run) -> str:
    """Where a run lies, for a person."""
    first = run.records[0]
    return f"{first.topic}[{first.partition}] {first.offset}-{run.records[-1].offset}"
