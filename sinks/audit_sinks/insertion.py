"""Inserting a batch: the block with its token until the outcome is known, then what was refused of it."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import stamina

from audit_schemas import metrics
from audit_schemas.settings import ClickHouse
from audit_sinks.batches import Batch, Place, Refusal, Row, payloads
from audit_sinks.clickhouse import connect, explained
from audit_sinks.errors import Unreachable
from audit_sinks.event_feeds import EVENTS
from audit_sinks.feed import Feed
from audit_sinks.journal import token
from audit_sinks.rejection import insert_all_but_refused

_ONCE = {
    # Without these a token would be ignored, or a forgotten one allowed.
    "async_insert": 0,
    "insert_deduplicate": 1,
    "deduplicate_insert_select": "force_enable",
    # Payloads go over as the bytes that they are.
    "strings_as_bytes": True,
}

Refuse = Callable[[Sequence[Refusal]], None]
"""Puts refused records where they are kept; returns when that is certain."""
Report = Callable[[str | None], None]
"""Told why inserting waits, and None when it goes on."""


class _Received(msgspec.Struct):
    received_at: datetime


class Inserter:
    """Inserts one batch at a time. Not to be used by two threads at once."""

    def __init__(
        self, clickhouse: ClickHouse, *, refuse: Refuse, report: Report, rejection_limit: int
    ) -> None:
        self._client = connect(clickhouse)
        self._refuse = refuse
        self._report = report
        self._rejection_limit = rejection_limit

    def close(self) -> None:
        """Close the connection."""
        self._client.disconnect()

    def insert(self, feeds: Sequence[Feed], topic_id: str, place: Place, batch: Batch) -> None:
        """Insert a batch exactly once in effect, and keep what is refused. Blocks while a server is away.

        Args:
            feeds: the topic's tables; each has its own token, so a repeat completes what was interrupted
                between two of them.
            topic_id: which topic of that name it is.
            place: where the batch was read.
            batch: the records.

        Raises:
            Misconfigured: ClickHouse refuses for another reason than a row; nothing was passed.
        """

        def send(rows: Sequence[Row]) -> None:
            whole = len(rows) == len(batch.rows)
            first, last = (batch.first, batch.last) if whole else (rows[0].offset, rows[-1].offset)
            for feed in feeds:
                self._send(feed, rows, token(topic_id, place.partition, first, last, feed.table))

        rejected = insert_all_but_refused(batch.rows, send, limit=self._rejection_limit)
        if refusals := [*batch.refusals, *rejected]:
            self._patiently(lambda: self._refuse(refusals))
        if EVENTS in feeds:
            _count(batch, rejected)

    def _send(self, feed: Feed, rows: Sequence[Row], token: str) -> None:
        """An unknown outcome is no problem: the same block goes again with the same token."""
        block = [payloads(rows)]
        started = time.perf_counter()

        def insert() -> None:
            with explained():
                self._client.execute(
                    feed.insert, block, columnar=True, settings={**_ONCE, "insert_deduplication_token": token}
                )

        self._patiently(insert)
        metrics.INSERT_SECONDS.labels(feed.table).observe(time.perf_counter() - started)

    def _patiently(self, work: Callable[[], None]) -> None:
        for attempt in stamina.retry_context(
            on=self._is_worth_waiting, attempts=None, timeout=None, wait_initial=0.1, wait_max=5.0
        ):
            with attempt:
                work()
        self._report(None)

    def _is_worth_waiting(self, error: Exception) -> bool:
        if isinstance(error, Unreachable):
            self._report(error.message)
            return True
        return False


def _count(batch: Batch, rejected: Sequence[Any]) -> None:
    metrics.EVENTS.labels("sink", "passed").inc(len(batch.rows) - len(rejected))
    metrics.EVENTS.labels("sink", "refused").inc(len(batch.refusals) + len(rejected))
    if batch.rows:
        oldest = msgspec.json.decode(batch.rows[0].payload, type=_Received).received_at
        metrics.INGEST_DELAY.observe(time.time() - oldest.timestamp())
