"""Waits until everything that was published has gone its whole way, and reads what has become of it."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from clickhouse_driver import Client
from confluent_kafka import Message
from sinking import wait_until

from audit_schemas.mark import TICK
from audit_schemas.topics import (
    CHANGES,
    CONTACT_BATCHES,
    CONTACT_CHANGES,
    DEAD_LETTERS,
    EVENTS,
    PROCESSOR_GROUP,
    SINK_GROUP,
    WINDOWS_GROUP,
)

from .log import Log, Places, appended_ms, offset_of, partition_of
from .oracle import (
    Batch,
    Faults,
    Logged,
    Received,
    Shown,
    Source,
    Span,
    changes_of,
    faults_of_activity,
    faults_of_batches,
    faults_of_dead_letters,
    faults_of_log,
)
from .traffic import Traffic

_TOPICS = tuple(topic.name for topic in (CHANGES, EVENTS, CONTACT_CHANGES, CONTACT_BATCHES, DEAD_LETTERS))
_PATIENCE = 300.0
"""Seconds for each part to come to the end: a killed worker's partitions wait for its session first."""


class _Target(msgspec.Struct):
    type: str
    id: str


class _Event(msgspec.Struct):
    id: UUID
    account: str
    target: _Target
    recorded: str = "live"


class _Enriched(msgspec.Struct):
    id: UUID
    source_partition: int
    source_offset: int

    @property
    def source(self) -> Source:
        return Source(self.source_partition, self.source_offset)


class _Batch(msgspec.Struct):
    id: UUID
    account: str
    contact: str
    window: int | None
    window_end: int | None
    events: list[_Enriched]


@dataclass(frozen=True)
class Found:
    """What lies in Kafka and in ClickHouse in the end."""

    received: list[Received]
    ticks: int
    """How many there were in audit.changes."""
    refused: list[Source]
    """What is no event there."""
    copies: dict[Source, list[int]]
    """The append times in audit.contact-changes of each change's copies."""
    batches: list[Batch]
    shown: list[Shown]
    logged: list[Logged]
    dead_letters: list[Source | None]
    """The places in audit.changes of what became one; None for a record of another topic."""

    @property
    def first_appended(self) -> datetime:
        """When Kafka got the first event."""
        return datetime.fromtimestamp(min(event.appended_ms for event in self.received) / 1000, UTC)

    @property
    def last_appended(self) -> datetime:
        """When Kafka got the last event."""
        return datetime.fromtimestamp(max(event.appended_ms for event in self.received) / 1000, UTC)

    def faults(self, traffic: Traffic, lengths: Collection[int]) -> Faults:
        """All that is wrong; nothing when every event is there once and in its order and window."""
        lost = traffic.ids - {event.id for event in self.received}
        return {
            **({"acknowledged, not received": list(lost)} if lost else {}),
            **faults_of_log(traffic.ids, self.logged),
            **faults_of_dead_letters(self.refused, self.dead_letters),
            **faults_of_batches(self.received, self.batches, lengths),
            **faults_of_activity(changes_of(self.received), self.shown, lengths),
        }


class Judge:
    """Of what is published from now on by accounts whose names begin alike."""

    def __init__(self, log: Log, client: Client) -> None:
        self._log, self._client = log, client
        self._start: Places = log.ends(_TOPICS)
        self._unread = dict(self._start)
        self._kept: list[Message] = []

    def answers(self) -> bool:
        """Whether Kafka can be read."""
        return self._log.answers()

    def complete_through(self) -> datetime:
        """Up to when ClickHouse has everything, as its own view says."""
        ((moment,),) = self._client.execute("SELECT complete_through FROM completeness")
        return moment or datetime.fromtimestamp(0, UTC)

    def keep(self, topic: str) -> list[Message]:
        """Read what a topic has got, and know it from now on, even when Kafka has deleted it."""
        read = list(self._log.since(self._unread, topic))
        self._kept += read
        self._unread |= _ends(topic, read)
        return read

    def committed(self, group: str, places: Collection[tuple[str, int]]) -> Places:
        """How far a group has come."""
        return self._log.committed(group, places)

    def starts(self, topic: str) -> Places:
        """The first record that Kafka still has, by partition."""
        return self._log.starts(topic)

    def appended(self, topic: str) -> int:
        """How many records a topic got since the beginning."""
        return sum(end - self._start[place] for place, end in self._log.ends([topic]).items())

    def found(self, traffic: Traffic) -> Found:
        """Wait until all has arrived that is going to, and read it."""
        everything = self._records(CHANGES.name)
        records = [message for message in everything if not _is_tick(message)]
        self._wait(PROCESSOR_GROUP, _ends(CHANGES.name, records))
        self._wait(WINDOWS_GROUP, _ends(CONTACT_CHANGES.name, self._values(CONTACT_CHANGES.name)))
        self._wait(SINK_GROUP, self._log.ends([EVENTS.name, CONTACT_BATCHES.name, DEAD_LETTERS.name]))
        return Found(
            received=[_received(message) for message in records if message.value() not in traffic.poison],
            ticks=len(everything) - len(records),
            refused=[_source(message) for message in records if message.value() in traffic.poison],
            copies=self._copies(),
            # An earlier case that failed may have left some of its own to be done.
            batches=[
                batch
                for batch in map(_batch, self._values(CONTACT_BATCHES.name))
                if batch.account.startswith(traffic.account)
            ],
            shown=self._shown(traffic.account),
            logged=self._logged(traffic.account),
            dead_letters=self._dead_letters(),
        )

    def _copies(self) -> dict[Source, list[int]]:
        copies: dict[Source, list[int]] = defaultdict(list)
        for message in self._values(CONTACT_CHANGES.name):
            event = msgspec.json.decode(message.value() or b"", type=_Enriched)
            copies[event.source].append(appended_ms(message))
        return copies

    def _values(self, topic: str) -> Iterator[Message]:
        return (message for message in self._records(topic) if message.value())

    def _records(self, topic: str) -> list[Message]:
        kept = [message for message in self._kept if message.topic() == topic]
        return kept + list(self._log.since(self._unread, topic))

    def _wait(self, group: str, wanted: Places) -> None:
        wanted = {place: end for place, end in wanted.items() if end > self._start.get(place, 0)}

        def is_done() -> bool:
            committed = self._log.committed(group, wanted)
            return all(committed.get(place, -1) >= end for place, end in wanted.items())

        wait_until(is_done, seconds=_PATIENCE, about=f"{group} at {wanted}")

    def _shown(self, account: str) -> list[Shown]:
        rows = self._client.execute(
            "SELECT event_id, account_id, contact_id, "
            "toUnixTimestamp(window_start), toUnixTimestamp(window_end), toUnixTimestamp64Milli(synced_at) "
            "FROM contact_activity WHERE startsWith(account_id, %(account)s)",
            {"account": account},
        )
        return [
            Shown(id_, owner, contact, _span(start, end), synced_ms)
            for id_, owner, contact, start, end, synced_ms in rows
        ]

    def _logged(self, account: str) -> list[Logged]:
        rows = self._client.execute(
            "SELECT event_id, account_id, target_type, target_id, producer_instance, producer_sequence, "
            "source_partition, source_offset FROM audit_log WHERE startsWith(account_id, %(account)s)",
            {"account": account},
        )
        return [
            Logged(id_, owner, (kind, target), instance, sequence, Source(partition, offset))
            for id_, owner, kind, target, instance, sequence, partition, offset in rows
        ]

    def _dead_letters(self) -> list[Source | None]:
        """Of what came since the beginning, in whichever topic."""
        rows = self._client.execute("SELECT topic, partition, offset FROM dead_letters FINAL")
        return [
            Source(partition, offset) if topic == CHANGES.name else None
            for topic, partition, offset in rows
            if offset >= self._start.get((topic, partition), 0)
        ]


def _is_tick(message: Message) -> bool:
    """Whether it is a record without content that a worker has written."""
    return not message.value() and TICK in dict(message.headers() or ())


def _source(message: Message) -> Source:
    return Source(partition_of(message), offset_of(message))


def _ends(topic: str, messages: Iterator[Message] | list[Message]) -> Places:
    """Behind the last of some records, by partition: ticks may follow for ever."""
    return {(topic, partition_of(message)): offset_of(message) + 1 for message in messages}


def _received(message: Message) -> Received:
    event = msgspec.json.decode(message.value() or b"", type=_Event)
    return Received(
        id=event.id,
        source=_source(message),
        appended_ms=appended_ms(message),
        account=event.account,
        contact=event.target.id if event.target.type == "contact" else None,
        is_live=event.recorded == "live",
    )


def _batch(message: Message) -> Batch:
    batch = msgspec.json.decode(message.value() or b"", type=_Batch)
    return Batch(
        id=batch.id,
        account=batch.account,
        contact=batch.contact,
        span=_span(batch.window, batch.window_end),
        appended_ms=appended_ms(message),
        events=tuple((event.id, event.source) for event in batch.events),
    )


def _span(start: int | None, end: int | None) -> Span | None:
    return None if start is None or end is None else Span(start, end)
