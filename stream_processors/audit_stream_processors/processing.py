"""What is made of a run of records: enriched events, contact changes, dead letters."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, cast

from audit_schemas import metrics
from audit_schemas.catalogue import UNCLASSIFIED
from audit_schemas.enriched import EnrichedEvent
from audit_schemas.errors import Misconfigured
from audit_schemas.event import partition_key
from audit_schemas.mark import TICK, Mark
from audit_schemas.topics import CONTACT_BATCHES, CONTACT_CHANGES, EVENTS
from audit_schemas.wire import decode_event, encode
from audit_schemas.wording.notes import phrase_of
from audit_stream_processors.enrichment.enrich import Enrich, is_history
from audit_stream_processors.refusal import REFUSALS, Clock, Send, Streak, TooLarge, moment, refuser
from audit_stream_processors.windows.batches import Change, batches
from audit_stream_processors.windows.stamp import Window, is_tick, stamped, window_at

STAGE = "processor"

FUTURE = timedelta(days=1)
"""An append time further ahead of our clock than this is a broker's wrong clock, or ours."""


Process = Callable[[Sequence[Any], int], int]
"""From a run's records, and how many were refused in a row before it, to how many are after it."""


def processor(
    enrich: Enrich, send: Send, clock: Clock, *, window_seconds: int, partitions: int, refusal_limit: int
) -> Process:
    """Make the function that processes a run.

    It sends one enriched event for each record, to the record's own partition, with its headers;
    that of a contact also to the contact changes, or within a batch where it is history; a dead
    letter for a record that is no event. Ticks are passed on. The records are aiokafka's.

    Args:
        enrich: makes the enriched event.
        send: hands a record to Kafka.
        clock: tells the time.
        window_seconds: the length of a window.
        partitions: of audit.changes.
        refusal_limit: so many records in a row may be refused; 0 for any number.
    """
    largest = EVENTS.room
    received = append_times(clock)
    refuse = refuser(send, clock, STAGE)
    pass_tick_on = _ticks(send, window_seconds, partitions)
    events = EVENTS.name

    def process(records: Sequence[Any], refused: int = 0) -> int:
        streak = Streak(refused, refusal_limit)
        history: list[Change] = []
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
                if is_tick(record.value, record.headers):
                    pass_tick_on(record, received_at)
                else:
                    streak.add(record, error, passed=passed)
                    refuse(record, error)
                continue
            send(events, value, key, record.partition, headers)
            if enriched.window is not None:
                _send_to_window(send, record.partition, enriched, key, value, headers)
            elif is_history(enriched):
                history.append(Change(record.offset, enriched, value))
            passed += 1
            if enriched.module == UNCLASSIFIED:
                unclassified += 1
            if enriched.notes:
                noted.update(map(phrase_of, enriched.notes))
        _send_history(send, records, history)
        _count(passed, unclassified, noted)
        return streak.at_end(passed=passed)

    return process


def _send_to_window(
    send: Send, partition: int, change: EnrichedEvent, key: bytes, value: bytes, headers: list[Any]
) -> None:
    window = cast("Window", (change.window, change.window_end))
    send(CONTACT_CHANGES.name, value, key, partition, stamped(window, headers))


def _send_history(send: Send, records: Sequence[Any], history: list[Change]) -> None:
    """What waits for no window goes to the batches at once."""
    if not history:
        return
    first = records[0]
    for batch in batches(history, first.topic, first.partition, closed_at=None):
        send(CONTACT_BATCHES.name, batch.value, batch.key, -1, [])


def _ticks(send: Send, window_seconds: int, partitions: int) -> Callable[[Any, datetime], None]:
    """A tick shows the windows how late it is, and the sink how far this partition is."""

    def pass_on(record: Any, received_at: datetime) -> None:
        window = window_at(received_at.timestamp(), window_seconds)
        send(CONTACT_CHANGES.name, b"", None, record.partition, [*stamped(window), (TICK, b"")])
        mark = Mark(
            partition=record.partition, partitions=partitions, offset=record.offset, received_at=received_at
        )
        send(EVENTS.name, mark.model_dump_json().encode(), None, record.partition, [])

    return pass_on


def _size(headers: Iterable[tuple[str, bytes | None]]) -> int:
    return sum([len(name.encode()) + len(value or b"") for name, value in headers])


def append_times(clock: Clock) -> Callable[[int], datetime]:
    """Make the function from a record's timestamp, ms, to its append time.

    It raises Misconfigured for a time more than a day ahead: windows would close early, and
    retention would keep or delete the wrong records.
    """

    @lru_cache(maxsize=1024)
    def append_time(milliseconds: int) -> datetime:
        time = moment(milliseconds)
        if time > clock() + FUTURE:
            raise Misconfigured(
                f"a record was appended at {time.isoformat()}, which is more than a day from now",
                remedy="set the clocks of the brokers and of this machine, then start again; a record that "
                "already carries such a time keeps it: wait until then, or pass it over with "
                "kafka-consumer-groups.sh --reset-offsets",
            )
        return time

    return append_time


def _count(passed: int, unclassified: int, noted: Counter[str]) -> None:
    metrics.EVENTS.labels(STAGE, "passed").inc(passed)
    metrics.UNCLASSIFIED.inc(unclassified)
    for phrase, count in noted.items():
        metrics.NOTES.labels(phrase).inc(count)
