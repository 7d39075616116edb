"""The way back into Kafka for refused records: what may take it, and the acknowledgement."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from audit_schemas.dead_letter import DeadLetter
from audit_schemas.kafka import client_config
from audit_schemas.topics import CONTACT_CHANGES, EVENTS, TOPICS
from audit_sinks.kafka import explained

_DELIVERY_SECONDS = 30
_KEEP_PARTITION = frozenset({EVENTS.name, CONTACT_CHANGES.name})
"""Their order and their windows go by the partition; elsewhere the key decides, as for a new record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one dead letter."""

    id: UUID
    topic: str
    partition: int | None = None
    offset: int | None = None
    problem: str = ""
    """Why it was not put back."""


def obstacle(letter: DeadLetter) -> str:
    """Why a letter cannot be put back; empty where it can."""
    topic = TOPICS.get(letter.topic)
    if topic is None:
        return f"{letter.topic} is no topic of this version"
    if topic.retention is None:
        # The newest record of a key counts there, whatever time it tells.
        return f"{letter.topic} is compacted: an old record would undo a newer one; publish it anew"
    if letter.value is None:
        until = letter.received_at + topic.retention
        return (
            f"its value is not kept here; the record lies in {letter.topic}, partition {letter.partition}, "
            f"offset {letter.offset}, until {until:%F %H:%M} UTC: read it there and give it with --value"
        )
    return ""


def mend(letter: DeadLetter, value: bytes) -> DeadLetter:
    """The same letter with other bytes."""
    return letter.model_copy(update={"value": base64.b64encode(value).decode()})


class Returns:
    """Publishes records where they were refused and waits for Kafka's word."""

    def __init__(self, servers: str) -> None:
        self._producer = Producer(
            client_config(
                servers,
                **{
                    "client.id": "audit-dead-letters",
                    "enable.idempotence": True,
                    "acks": "all",
                    "compression.type": "zstd",
                    "partitioner": "murmur2_random",
                    "message.max.bytes": max(topic.limit for topic in TOPICS.values()),
                    "message.timeout.ms": _DELIVERY_SECONDS * 1000,
                },
            )
        )

    def put_back(self, letters: Sequence[DeadLetter]) -> list[Outcome]:
        """Publish key, value and headers as they were; returns when each is acknowledged or has failed."""
        outcomes: dict[UUID, Outcome] = {
            letter.id: Outcome(id=letter.id, topic=letter.topic, problem="Kafka does not answer")
            for letter in letters
        }
        for letter in letters:
            try:
                self._publish(letter, _noting(letter, outcomes))
            except KafkaException as error:
                outcomes[letter.id] = _failed(letter, error.args[0])
        self._producer.flush(_DELIVERY_SECONDS + 5)
        return list(outcomes.values())

    def _publish(self, letter: DeadLetter, delivered: Callable[[KafkaError | None, Message], None]) -> None:
        partition = letter.partition if letter.topic in _KEEP_PARTITION else -1
        self._producer.produce(
            letter.topic,
            letter.value_bytes(),
            None if letter.key is None else base64.b64decode(letter.key),
            partition=partition,
            headers=[(name, base64.b64decode(value)) for name, value in letter.headers],
            on_delivery=delivered,
        )


def _noting(
    letter: DeadLetter, outcomes: dict[UUID, Outcome]
) -> Callable[[KafkaError | None, Message], None]:
    def delivered(error: KafkaError | None, message: Message) -> None:
        outcomes[letter.id] = (
            _failed(letter, error)
            if error is not None
            else Outcome(
                id=letter.id, topic=letter.topic, partition=message.partition(), offset=message.offset()
            )
        )

    return delivered


def _failed(letter: DeadLetter, error: KafkaError) -> Outcome:
    return Outcome(id=letter.id, topic=letter.topic, problem=explained(error, topic=letter.topic).message)
