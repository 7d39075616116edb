"""The sink's loop: it collects the next blocks while the last ones are being inserted.

    collect ──▶ due ──▶ commit: the last blocks are done, the next are journaled ──▶ insert (in lanes)
       ▲                                                                               │
       └───────────────────────────────────────────────────────────────────────────────┘

A commit never happens while an insert runs, so a committed offset has either everything before it
in ClickHouse, or says in its journal which block perhaps is not.
"""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from functools import partial

import structlog
from confluent_kafka import Consumer, KafkaError, TopicPartition
from confluent_kafka.admin import AdminClient

from audit_schemas import metrics
from audit_schemas.health import Health
from audit_schemas.kafka import client_config
from audit_schemas.kill_points import at, nothing
from audit_sinks import journal, lanes
from audit_sinks.batches import Batch, Collector, Limits, Place
from audit_sinks.errors import AuditError, Fenced, Misconfigured
from audit_sinks.insertion import Inserter
from audit_sinks.kafka import explained, patiently
from audit_sinks.membership import Membership, consumer_config
from audit_sinks.reading import outcome
from audit_sinks.refusals import DeadLetterOffice
from audit_sinks.settings import SinkSettings
from audit_sinks.tables import FEEDS

_log = structlog.get_logger(__name__)

_CHUNK = 5_000
_POLL_SECONDS = 0.05
_LEAVE_SECONDS = 1.2
"""How long the insert in hand may take once we are told to stop; its journal covers the rest."""
_STALLED_POLL_SECONDS = 5.0
"""While an insert waits for ClickHouse one record is taken so often, to remain in the group."""
_SILENCE_SECONDS = 5.0
"""Of Kafka, after which it is asked whether it is there."""


class Sink:
    """Kafka to ClickHouse, exactly once in effect, until it is stopped."""

    def __init__(self, settings: SinkSettings) -> None:
        self.health = Health({"group": "has no partitions yet"})
        self._consumer = Consumer({**consumer_config(settings), "error_cb": self._kafka_error})
        self._membership = Membership(self._consumer, AdminClient(client_config(settings.kafka)))
        self._collector = Collector(
            Limits(settings.sink_rows, settings.sink_bytes, settings.sink_linger_seconds)
        )
        refuse, between = DeadLetterOffice(settings.kafka).keep, at("sink.inserting", nothing)
        self._inserters = [
            Inserter(
                settings.clickhouse,
                refuse=refuse,
                report=partial(self.health.report, "clickhouse"),
                refusal_limit=settings.sink_refusal_limit,
                between=between,
            )
            for _ in range(settings.sink_lanes)
        ]
        self._insert_all = at("sink.journaled", lanes.insert_all)
        self._inserted = at("sink.inserted", nothing)
        self._committing = at("sink.committing", nothing)
        self._stopping = threading.Event()
        self._heard_at = time.monotonic()
        self._inserting: Future[None] = lanes.nothing()
        self._in_hand: dict[Place, Batch] = {}
        """What the last commit journaled: to be acknowledged once `_inserting` is done."""
        self._replaying: set[Place] = set()
        self._refused: dict[Place, int] = {}
        """How many records were refused in a row, before what is in hand."""

    def stop(self) -> None:
        """Ask `run` to finish the insert in hand and return; may be called by a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Work until `stop` is called.

        Raises:
            Misconfigured: nothing helps but an operator.
        """
        try:
            if not self._patiently(lambda: self._membership.find_topics(list(FEEDS))):
                return
            self._consumer.subscribe(
                list(FEEDS), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
            )
            while not self._stopping.is_set():
                self._turn()
            self._finish_in_hand()
        finally:
            self._consumer.close()
            if self._inserting.done():
                for inserter in self._inserters:
                    inserter.close()

    def _turn(self) -> None:
        self.health.beat()
        self._collect(_CHUNK, _POLL_SECONDS)
        if self.health.waits("kafka") or time.monotonic() - self._heard_at > _SILENCE_SECONDS:
            self._ask_kafka()
        if not self._collector.due(time.monotonic()):
            if self._in_hand and self._inserting.done() and self._collector.empty:
                self._commit({})
            return
        self._wait_for_insert()
        if self._inserting.done():
            self._begin(self._collector.take())

    def _ask_kafka(self) -> None:
        """Find out whether it answers: the library tells once that it has gone, and perhaps too early."""
        if self._membership.reachable():
            self._heard_at = time.monotonic()
            self.health.report("kafka", None)
        else:
            self.health.report("kafka", "Kafka does not answer")

    def _collect(self, count: int, seconds: float) -> None:
        messages = self._consumer.consume(count, seconds)
        now = time.monotonic()
        if messages:
            self._heard_at = now
        for message in messages:
            place = Place(message.topic() or "", message.partition() or 0)
            if (error := message.error()) is not None:
                self._heed(error, place, message.offset() or 0)
            elif self._collector.owns(place):
                value, offset = message.value(), message.offset() or 0
                found = outcome(place.topic, offset, value, message)
                self._collector.add(place, offset, found, size=len(value or b""), now=now)

    def _heed(self, error: KafkaError, place: Place, offset: int) -> None:
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own codes are named so
            self._collector.end_reached(place, offset)
            return
        found = explained(error, topic=place.topic)
        if isinstance(found, Misconfigured):
            raise found
        # The library tries again by itself, and a lost assignment comes back as a new one.
        _log.warning(found.message)

    def _wait_for_insert(self) -> None:
        """Take hardly anything more until the last blocks are in."""
        polled = time.monotonic()
        while not self._stopping.is_set() and not wait_for([self._inserting], timeout=0.05).done:
            self.health.beat()
            if time.monotonic() - polled > _STALLED_POLL_SECONDS:
                polled = time.monotonic()
                self._collect(1, 0)

    def _begin(self, blocks: Mapping[Place, Batch]) -> None:
        """Journal blocks, which acknowledges the last ones, and start inserting them."""
        if not self._commit(blocks) or not blocks:
            return
        self._in_hand = dict(blocks)
        replays = [place for place in blocks if place in self._replaying]
        self._replaying.difference_update(replays)
        metrics.JOURNAL_REPLAYS.inc(len(replays))
        self._inserting = self._insert_all(
            blocks, [self._insert_by(inserter) for inserter in self._inserters]
        )

    def _insert_by(self, inserter: Inserter) -> lanes.Insert:
        topic_ids = self._membership.topic_ids

        def insert(place: Place, batch: Batch) -> None:
            inserter.insert(FEEDS[place.topic], topic_ids[place.topic], place, batch)
            self._inserted()

        return insert

    def _commit(self, blocks: Mapping[Place, Batch]) -> bool:
        """Acknowledge what was inserted, and journal blocks.

        Returns:
            Whether the group took it; if not, everything is forgotten and read again.
        """
        self._inserting.result()
        refused = self._refused | {place: batch.refused_after for place, batch in self._in_hand.items()}
        for place, batch in blocks.items():
            batch.refused_before = refused.get(place, 0)
        try:
            if not self._patiently(lambda: self._acknowledge(blocks)):
                return False
        except Fenced as error:
            _log.warning("the group has moved on", reason=error.message)
            self._forget()
            return False
        self._in_hand = {}
        self._refused = refused
        metrics.REFUSED_IN_A_ROW.labels("sink").set(max(refused.values(), default=0))
        return True

    def _acknowledge(self, blocks: Mapping[Place, Batch]) -> None:
        if self._in_hand:
            self._committing()
        self._membership.commit(journal.positions(self._in_hand, blocks))

    def _finish_in_hand(self) -> None:
        wait_for([self._inserting], timeout=_LEAVE_SECONDS)
        if self._in_hand and self._inserting.done():
            self._inserting.result()
            try:
                self._acknowledge({})
            except AuditError as error:
                _log.warning(
                    "could not acknowledge the last blocks: they will be repeated", reason=error.message
                )
        self._forget()

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._forget()
        found: dict[Place, int] = {}

        def resume() -> None:
            for place, resume in self._membership.resume(partitions).items():
                self._collector.assign(place, resume.offset, resume.replay_until)
                self._refused[place] = resume.refused
                found[place] = resume.offset
                if resume.replay_until is not None:
                    self._replaying.add(place)

        if partitions and not self._patiently(resume):
            return
        for partition in partitions:
            partition.offset = found[Place(partition.topic, partition.partition)]
        consumer.assign(partitions)
        self.health.report("group", None if partitions else "has no partitions")
        _log.info("assigned", partitions=len(partitions), replays=len(self._replaying))

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:  # noqa: ARG002
        """What is inserted by now is acknowledged, which saves the next owner a repeat."""
        self.health.report("group", "has no partitions")
        self._finish_in_hand()

    def _lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:  # noqa: ARG002
        self.health.report("group", "has lost its partitions")
        self._forget()

    def _forget(self) -> None:
        self._collector.clear()
        self._in_hand = {}
        self._replaying.clear()
        self._refused.clear()

    def _patiently(self, work: Callable[[], None]) -> bool:
        def attempt() -> None:
            self.health.beat()  # to wait for Kafka is not to stand still
            work()

        return patiently(attempt, stopping=self._stopping.is_set, report=partial(self.health.report, "kafka"))

    def _kafka_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 - librdkafka's own codes are named so
            self.health.report("kafka", f"Kafka does not answer: {error.str()}")
