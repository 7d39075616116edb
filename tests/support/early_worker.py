"""A worker whose topic is not there yet: says when it has partitions. Arguments: Kafka, topic, folder."""

import sys
from dataclasses import replace
from typing import Any

import faust

from audit_schemas.topics import CHANGES
from audit_stream_processors.app import Input, app_of
from audit_stream_processors.settings import WorkerSettings

servers, topic, folder = sys.argv[1:]
source = Input(group=f"early-{topic}", topic=replace(CHANGES, name=topic), run_records=10)
app = app_of("processor", source, WorkerSettings(kafka=servers), [], datadir=folder)


async def assigned(_: Any, *partitions: Any, **_more: Any) -> None:
    if any(partitions):
        print("assigned", flush=True)


app.on_partitions_assigned.connect(assigned)
faust.Worker(app, loglevel="WARN", redirect_stdouts=False).execute_from_commandline()
