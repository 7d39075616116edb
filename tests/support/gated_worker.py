"""A worker with one gated and one plain topic; prints each run that its agents get as a line of JSON.

Arguments: Kafka's bootstrap servers, the plain topic, the gated topic, a folder.
"""

import json
import sys
from functools import partial
from typing import cast

import faust
from faust.types import StreamT

from audit_stream_processors.transport import SCHEME, Run, RunSchema, Transport
from audit_stream_processors.windows.gate import Gate

servers, plain, gated, folder = sys.argv[1:]
app = faust.App(
    f"test-{gated}",
    broker=f"{SCHEME}://{servers}",
    datadir=folder,
    store="memory://",
    web_enabled=False,
    topic_allow_declare=False,
    topic_disable_leader=True,
    consumer_auto_offset_reset="none",
    broker_commit_interval=0.1,
    # Faust looks for livelocks as often as it commits would be late: let it look at once.
    broker_commit_livelock_soft_timeout=1.0,
    stream_processing_timeout=1.0,
)
cast("Transport", app.transport).gated = {gated: partial(Gate, 6)}


async def tell(runs: StreamT[Run]) -> None:
    async for event in cast("faust.Stream[Run]", runs).noack().events():
        run = cast("Run", event.value)
        said = {"topic": run.topic, "offsets": [record.offset for record in run.records], "end": run.end}
        print(json.dumps(said), flush=True)
        run.finish()
        await runs.ack(event)


app.agent(app.topic(plain, schema=RunSchema()), name="plain")(tell)
app.agent(app.topic(gated, schema=RunSchema()), name="gated")(tell)
faust.Worker(app, loglevel="WARN", redirect_stdouts=False).execute_from_commandline()
