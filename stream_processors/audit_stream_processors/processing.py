"""What is made of a run of records: enriched events, contact changes, dead letters."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from audit_schemas import metrics
from audit_schemas.catalogue import UNCLASSIFIED
from audit_schemas.errors import Misconfigured
from audit_schemas.event import partition_key
from audit_schemas.topics import CONTACT_CHANGES, DEAD_LETTERS, EVENTS
from audit_schemas.wire import decode_event, encode
from audit_stream_processors.enrichment.enrich import Enrich
from audit_stream_processors.enrichment.notes import phrase_of
from audit_stream_processors.refusal import REFUSALS, STAGE, TooLarge, dead_letter, reason_of

Clock = Callable[[], datetime]
Send = Callable[[str, bytes, bytes | None, int, list[Any]], None]
"""Topic, value, key, partition, headers."""

WINDOW_HEADER = "window"
"""The window of a contact change, where a reader finds it without parsing the event."""

FUTURE = timedelta(days=1)
"""An append time further ahead of our clock than this is a broker's wrong clock, or ours."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def processor(enrich: Enrich, send: Send, clock: Clock) -> Callable[[Iterable[Any]], None]:
    """Make the function that processes a run.

    It sends one enriched event for each record, to the record's own partition, with its headers;
    that of a contact also to the contact changes; a dead letter for a record that is no event. The
    records are aiokafka's.
    """
    largest = EVENTS.room
    received = append_times(clock)
    events, contact_changes = EVENTS.name, CONTACT_CHANGES.name

    def process(records: Iterable[Any]) -> None:
        passed = 0
        unclassified = 0
        noted: Counter[str] = Counter()
        for record in records:
            received_at = received(record.timestamp)
            try:
                event, extra = decode_event(record.value or b"")
                enriched = enrich(event, extra, record.partition, record.offset, received_at)
                value = encode(enriched)
                key = record.key or partition_key(event)
                headers = list(record.headers)
                size = len(value) + len(key) + _size(headers)
                if size > largest:
                    raise TooLarge(f"{size:,} bytes enriched, with key and headers; {largest:,} at most")
            except REFUSALS as error:
                refuse(record, error, received_at)
                continue
            send(events, value, key, record.partition, headers)
            if enriched.window is not None:
                headers.append((WINDOW_HEADER, b"%d" % enriched.window))
                send(contact_changes, value, key, record.partition, headers)
            passed += 1
            if enriched.module == UNCLASSIFIED:
                unclassified += 1
            if enriched.notes:
                noted.update(map(phrase_of, enriched.notes))
        _count(passed, unclassified, noted)

    def refuse(record: Any, error: Exception, received_at: datetime) -> None:
        key, letter = dead_letter(record, error, received_at=received_at, failed_at=clock())
        send(DEAD_LETTERS.name, letter, key, -1, [])
        metrics.DEAD_LETTERS.labels(STAGE, reason_of(error)).inc()
        metrics.EVENTS.labels(STAGE, "refused").inc()

    return process


def _size(headers: Iterable[tuple[str, bytes | None]]) -> int:
    return sum([len(name) + len(value or b"") for name, value in headers])


def append_times(clock: Clock) -> Callable[[int], datetime]:
    """Make the function from a record's timestamp, ms, to its append time.

    It raises Misconfigured for a time more than a day ahead: windows would close early, and
    retention would keep or delete the wrong records.
    """

    @lru_cache(maxsize=1024)
    def append_time(milliseconds: int) -> datetime:
        time = _EPOCH + timedelta(milliseconds=milliseconds)
        if time > clock() + FUTURE:
            raise Misconfigured(
                f"a record was appended at {time.isoformat()}, which is more than a day from now",
                remedy="set the clocks of the brokers and of this machine, then start again",
            )
        return time

    return append_time


def _count(passed: int, unclassified: int, noted: Counter[str]) -> None:
    metrics.EVENTS.labels(STAGE, "passed").inc(passed)
    metrics.UNCLASSIFIED.inc(unclassified)
    for phrase, count in noted.items():
        metrics.NOTES.labels(phrase).inc(count)
