"""The directory of actors in memory, read from its compacted topic and followed.

A consumer without a group reads every partition to its end before the first event is enriched, and
then follows; each worker holds all of it, since any actor's events may come to any partition. Only
what completes an event is kept: a name and an e-mail address.
"""

import threading
from collections.abc import Iterable
from datetime import timedelta

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition
from pydantic import ValidationError

from audit_schemas import metrics
from audit_schemas.directory import DirectoryActor, read_actor_key
from audit_schemas.event import Actor
from audit_schemas.topics import ACTORS
from audit_stream_processors.enrichment.enrich import completed
from audit_stream_processors.kafka import client_config, reachable

_log = structlog.get_logger(__name__)

_TIMEOUT = 2.0
"""Seconds to wait for the topic's description."""


class Actors:
    """What the directory knows of actors; read from any thread."""

    def __init__(self) -> None:
        self._people: dict[tuple[str, str], tuple[str, str]] = {}

    def __len__(self) -> int:
        return len(self._people)

    def complete(self, account: str, actor: Actor) -> Actor:
        """Give an event's actor the name and the address that the event does not give."""
        if actor.id is None or (actor.name and actor.email):
            return actor
        found = self._people.get((account, actor.id))
        return completed(actor, *found) if found else actor

    def put(self, key: bytes | None, value: bytes | None) -> None:
        """Take in a record of the topic; one without a value erases the actor.

        Raises:
            ValueError: the value is no actor (pydantic's ValidationError), or the key names none.
        """
        if value is None:
            self._people.pop(read_actor_key(key or b""), None)
            return
        actor = DirectoryActor.model_validate_json(value)
        self._people[actor.account, actor.id] = (actor.name, actor.email)


class DirectoryReader:
    """Keeps `Actors` up to date in a thread of its own."""

    def __init__(self, servers: str, actors: Actors) -> None:
        self._actors = actors
        self._consumer = Consumer(
            client_config(
                servers,
                **{
                    "group.id": "audit-processor-directory",  # required, and never used: nothing is committed
                    "enable.auto.commit": False,
                    "enable.partition.eof": True,
                    "auto.offset.reset": "earliest",
                    "fetch.wait.max.ms": 100,  # the end of an empty partition is seen no sooner
                },
            )
        )
        self._unread: set[int] = set()
        self._complete = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="directory", daemon=True)

    def start(self) -> None:
        """Begin to read all partitions from their beginning.

        Raises:
            Unreachable: Kafka does not answer.
        """
        with reachable():
            partitions = (
                self._consumer.list_topics(ACTORS.name, timeout=_TIMEOUT).topics[ACTORS.name].partitions
            )
        self._unread = set(partitions)
        self._consumer.assign(
            [TopicPartition(ACTORS.name, number, OFFSET_BEGINNING) for number in partitions]
        )
        self._thread.start()

    def wait(self, timeout: timedelta) -> bool:
        """Wait until all that was there has been read; whether it has."""
        return self._complete.wait(timeout.total_seconds())

    def stop(self) -> None:
        """Stop following."""
        self._stopping.set()
        self._thread.join()
        self._consumer.close()

    def _follow(self) -> None:
        while not self._stopping.is_set():
            self._take(self._consumer.consume(1000, timeout=0.2))

    def _take(self, messages: Iterable[Message]) -> None:
        for message in messages:
            error = message.error()
            if error is None:
                self._put(message)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - public, by librdkafka's naming
                self._read_to_end(message.partition())
            else:
                _log.warning("directory not readable", reason=error.str())

    def _read_to_end(self, partition: int | None) -> None:
        self._unread.discard(-1 if partition is None else partition)
        if not self._unread and not self._complete.is_set():
            _log.info("directory read", actors=len(self._actors))
            self._complete.set()

    def _put(self, message: Message) -> None:
        try:
            self._actors.put(message.key(), message.value())
        except ValueError as error:
            metrics.EVENTS.labels("directory", "refused").inc()
            _log.warning(
                "directory record refused",
                topic=message.topic(),
                partition=message.partition(),
                offset=message.offset(),
                reason=_reason(error),
            )


def _reason(error: ValueError) -> str:
    """What is wrong, without the values: they are people's."""
    if isinstance(error, ValidationError):
        return error.errors(include_url=False, include_input=False)[0]["msg"]
    return str(error)
