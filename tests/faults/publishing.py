"""A service to be run as a process of its own: it publishes by the SDK, and says what Kafka has acknowledged.

It records one change after the other, of contacts and of others; after some it waits until all are
acknowledged, and writes their ids to its output, a line each.
"""

import os
import sys
from datetime import datetime, timedelta
from itertools import islice

from audit_producers import Recorder, Settings
from audit_schemas.event import Target

AT_ONCE = 200
"""Events between two waits."""


def publish(account: str, count: int, job: datetime | None) -> None:
    """Publish, and say what is acknowledged.

    Args:
        account: whose events.
        count: how many.
        job: a moment, where all processes with the same one are to publish the same events, as services do
            that get one job twice: with the same times and keys, and so the same ids.
    """
    recorder = Recorder(Settings.from_env(service="jobs", block_seconds=60.0, exit_seconds=60.0, strict=True))
    numbers = iter(range(count))
    while some := list(islice(numbers, AT_ONCE)):
        ids = [_record(recorder, account, number, job) for number in some]
        assert recorder.flush(60) == 0
        os.write(1, "".join(f"{id_}\n" for id_ in ids).encode())
    recorder.close()


def _record(recorder: Recorder, account: str, number: int, job: datetime | None) -> object:
    target = Target(type="contact" if number % 3 else "smart_rule", id=str(number % 50))
    if job is None:
        return recorder.record("update", target, account=account)
    when = job + timedelta(milliseconds=number)
    return recorder.record(
        "update", target, account=account, occurred_at=when, idempotency_key=f"{job} {number}"
    )


if __name__ == "__main__":
    publish(sys.argv[1], int(sys.argv[2]), datetime.fromisoformat(sys.argv[3]) if sys.argv[3:] else None)
