"""`audit import` where nobody reads what was published: it waits, says for whom, and loses nothing by it."""

import gzip
import json
import os
import subprocess
from typing import Any
from uuid import uuid4

from command import AUDIT
from kafka_records import records_of

from audit_schemas.topics import CHANGES


def lines(account: str, count: int) -> bytes:
    event = {"account": account, "action": "update", "occurred_at": "2021-01-31T10:00:00Z"}
    return b"".join(
        json.dumps({**event, "target": {"type": "role", "id": str(number)}}).encode() + b"\n"
        for number in range(count)
    )


def run(stack: Any, text: bytes, *options: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [AUDIT, *options],
        input=text,
        env=os.environ | stack.environment,
        capture_output=True,
        timeout=120,
        check=False,
    )


def test_it_waits_for_a_processor_that_does_not_run(stack: Any):
    account = f"waits-{uuid4()}"
    run(stack, lines(account, 5), "publish", "-")
    waited = run(stack, lines(account, 100_000), "import", "-", "--give-up-after", "3")

    assert waited.returncode == 1
    assert b"processor or sink has not moved for 3 s" in waited.stderr
    assert b"import it again, which stores nothing twice" in waited.stderr
    assert b"Traceback" not in waited.stderr


def test_standard_input_is_imported_at_once_where_nobody_waits(stack: Any):
    account = f"at-once-{uuid4()}"
    done = run(stack, gzip.compress(lines(account, 500)), "import", "-", "--at-once")

    assert (done.returncode, done.stdout) == (0, b"500 read, 500 imported, 0 rejected\n")
    found = [
        json.loads(message.value())
        for message in records_of(stack.kafka, CHANGES.name)
        if (message.key() or b"").startswith(account.encode())
    ]
    assert len({event["id"] for event in found}) == 500
    assert {event["recorded"] for event in found} == {"backfill"}
    assert sorted(event["producer"]["sequence"] for event in found) == list(range(1, 501))
