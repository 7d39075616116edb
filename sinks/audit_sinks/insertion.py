"""Inserting a batch: the block with its token until the outcome is known, then what was refused of it."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import stamina

from audit_schemas import metrics
from audit_schemas.kill_points import nothing
from audit_schemas.settings import ClickHouse
from audit_sinks.batches import Batch, Place, Refusal, Row, payloads
from audit_sinks.clickhouse import connect, explained
from audit_sinks.errors import Unreachable
from audit_sinks.event_feeds import EVENTS
from audit_sinks.feed import Feed
from audit_sinks.journal import token
from audit_sinks.refusal_limit import check, in_a_row
from audit_sinks.rejection import Send, insert_all_but_refused
from audit_sinks.tables import MARKS

_ONCE = {
    # Without these a token would be ignored, or a forgotten one allowed.
    "async_insert": 0,
    "insert_deduplicate": 1,
    "deduplicate_insert_select": "force_enable",
    # Payloads go over as the bytes that they are.
    "strings_as_bytes": True,
    # The index of words is made when parts are merged: until then a part is small, and soon searched without.
    "exclude_materialize_skip_indexes_on_insert": "by_words",
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
        self,
        clickhouse: ClickHouse,
        *,
        refuse: Refuse,
        report: Report,
        refusal_limit: int,
        between: Callable[[], None] = nothing,
    ) -> None:
        """Connect with the first insert.

        Args:
            clickhouse: where the tables are.
            refuse: keeps what is refused.
            report: told why it waits.
            refusal_limit: see `audit_sinks.refusal_limit`.
            between: called when one table has its rows of a block, before the next one gets them.
        """
        self._client = connect(clickhouse)
        self._refuse = refuse
        self._report = report
        self._limit = refusal_limit
        self._between = between

    def close(self) -> None:
        """Close the connection."""
        self._client.disconnect()

    def insert(self, feeds: Sequence[Feed], topic_id: str, place: Place, batch: Batch) -> None:
        """Insert a batch exactly once in effect, and keep what is refused. Blocks while a server is away.

        Its marks come last: whoever sees one finds all that lies before it stored, or among the dead letters.
        `batch.refused_after` is set then.

        Args:
            feeds: the topic's tables; each has its own token, so a repeat completes what was interrupted
                between two of them.
            topic_id: which topic of that name it is.
            place: where the batch was read.
            batch: the records.

        Raises:
            Misconfigured: ClickHouse refuses for another reason than a row, or too much is refused; nothing
                was passed.
        """

        def heed(rejected: Sequence[Refusal]) -> None:
            check(place, batch, rejected, limit=self._limit)

        heed(())
        rejected = insert_all_but_refused(batch.rows, self._into(feeds, topic_id, place), heed)
        self._keep([*batch.refusals, *rejected])
        into_marks = self._into((MARKS,), topic_id, place, begun=bool(batch.rows))
        self._keep(insert_all_but_refused(batch.marks, into_marks, heed))
        batch.refused_after = in_a_row(batch, rejected)
        if EVENTS in feeds:
            _count(batch, rejected)

    def _into(self, feeds: Sequence[Feed], topic_id: str, place: Place, *, begun: bool = False) -> Send:
        """The way of rows into tables, one after the other."""

        def send(rows: Sequence[Row]) -> None:
            offsets = [row.offset for row in rows]
            for number, feed in enumerate(feeds):
                if begun or number:
                    self._between()
                self._send(feed, rows, token(topic_id, place.partition, offsets, feed.table))

        return send

    def _keep(self, refusals: Sequence[Refusal]) -> None:
        if refusals:
            self._patiently(lambda: self._refuse(refusals))

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
