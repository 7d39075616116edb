"""The window worker: audit.contact-changes to audit.contact-batches, behind the gate."""

import time
from functools import partial
from typing import NoReturn

from audit_schemas.kill_points import at
from audit_schemas.topics import CONTACT_CHANGES, WINDOWS_GROUP
from audit_stream_processors.app import Input
from audit_stream_processors.refusal import Clock, Send
from audit_stream_processors.settings import WindowsSettings
from audit_stream_processors.transport import Transport
from audit_stream_processors.windows.closing import closer
from audit_stream_processors.windows.gate import Gate
from audit_stream_processors.windows.outlook import outlook, show
from audit_stream_processors.worker import Process, Work, run


def run_windows(settings: WindowsSettings) -> NoReturn:
    """Close windows until SIGTERM or Ctrl-C.

    Raises:
        Misconfigured: the port is taken, or the topics are not as they must be.
    """
    source = Input(
        group=WINDOWS_GROUP,
        topic=CONTACT_CHANGES,
        run_records=settings.windows_part_records,
        gate=partial(Gate, settings.windows_part_bytes),
    )

    def process(send: Send, clock: Clock) -> Process:
        return at("windows.part", closer(send, clock, refusal_limit=settings.processor_refusal_limit))

    work = Work(source=source, process=process, observe=_observe)
    run("windows", settings, lambda _health, _found: work)


def _observe(transport: Transport) -> None:
    show(outlook(list(transport.gates.values()), time.time()))
