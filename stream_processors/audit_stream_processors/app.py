"""The Faust app: one agent that hands each run to the processing and acknowledges it afterwards."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import faust
from faust.types import StreamT

from audit_schemas import metrics
from audit_schemas.topics import CHANGES, PROCESSOR_GROUP
from audit_stream_processors.delivery import Stopped
from audit_stream_processors.settings import ProcessorSettings
from audit_stream_processors.transport import SCHEME, Run, RunSchema, leave

_DAY = 86_400.0
_WAITING_RUNS = 2
"""Runs that may wait in memory for the agent, beside the one in its hands."""

Handle = Callable[[Sequence[Any]], None]
"""Processes a run's records and waits until Kafka has what was made of them; it may block."""


def processor_app(settings: ProcessorSettings, handle: Handle, *, datadir: str) -> faust.App:
    """Make the app.

    Args:
        settings: the processor's.
        handle: called with each run's records, one at a time, in a thread.
        datadir: where Faust may put its files; nothing of ours is in there.
    """
    app = faust.App(
        PROCESSOR_GROUP,
        broker=[f"{SCHEME}://{server.strip()}" for server in settings.kafka.split(",")],
        datadir=datadir,
        store="memory://",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="none",  # neither end is right when an offset is lost
        consumer_max_fetch_size=CHANGES.limit * 4,
        broker_max_poll_records=settings.run_records,
        broker_max_poll_interval=_DAY,  # waiting for Kafka is no reason to leave the group
        broker_commit_interval=settings.commit_seconds,
        broker_session_timeout=6.0,
        broker_heartbeat_interval=2.0,
        stream_buffer_maxsize=_WAITING_RUNS,
        stream_wait_empty=True,
    )

    @app.agent(app.topic(CHANGES.name, schema=RunSchema()), name="enriching")
    async def enriching(runs: StreamT[Run]) -> None:
        async for run in runs:
            try:
                with metrics.RUN_SECONDS.time():
                    await asyncio.to_thread(handle, run.records)
            except Stopped:
                leave(f"Kafka does not answer: {place_of(run)} comes again after the next start", code=0)
            except Exception as error:  # noqa: BLE001 - whatever it is, the run must not be committed
                leave(
                    f"cannot process {place_of(run)}: {error}",
                    error=error,
                    remedy=getattr(error, "remedy", ""),
                )
            run.finish()

    return app


def place_of(run: Run) -> str:
    """Where a run lies, for a person."""
    first = run.records[0]
    return f"{first.topic}[{first.partition}] {first.offset}-{run.records[-1].offset}"
