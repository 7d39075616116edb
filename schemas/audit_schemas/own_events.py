"""Auditlane's own events: what an operator does to the log stands in the log, on the same way as all others.

An operator is nobody of the account that the event belongs to, so the actor is the system, by the
operator's name; its id cannot be taken for one of the account's actors.
"""

import getpass
import os
from collections.abc import Sequence
from functools import cache

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from pydantic import Field

from audit_schemas.cloud_events import cloud_event_headers
from audit_schemas.errors import Unreachable
from audit_schemas.event import Actor, Event, partition_key
from audit_schemas.kafka import client_config, explained
from audit_schemas.settings import Settings
from audit_schemas.topics import CHANGES
from audit_schemas.types import ACCOUNT_LENGTH
from audit_schemas.wire import encode

SERVICE = "auditlane"
"""Who publishes them."""
MODULE = "security"
"""What is done to the log itself is a matter of security."""
_DELIVERY_SECONDS = 20


class OperatorSettings(Settings):
    """Where that is kept which belongs to no customer's account."""

    operator_account: str = Field(
        default="auditlane",
        min_length=1,
        max_length=ACCOUNT_LENGTH,
        description="the account of what operators do to no account in particular",
    )


def operator(name: str) -> Actor:
    """Somebody who runs Auditlane, as they named themselves."""
    return Actor.system(f"operator:{name}", name=name)


def current_user() -> str:
    """Whoever runs this process, by the system's name for them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container a number may have no name
        return f"uid {os.getuid()}"


def record(kafka: str, event: Event) -> None:
    """Publish one event as a service would; returns once Kafka has acknowledged it.

    Args:
        kafka: bootstrap servers.
        event: with an id and a time that are the same whenever the same thing is told again.

    Raises:
        Unreachable: Kafka has not acknowledged it, and may have it all the same.
        Misconfigured: waiting does not help.
    """
    record_all(kafka, [event])


def record_all(kafka: str, events: Sequence[Event]) -> None:
    """The same for several events, some thousands at most: they wait in memory.

    Raises:
        Unreachable, Misconfigured: not all are acknowledged.
    """
    if not events:
        return
    failures: list[KafkaError] = []

    def delivered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append(error)

    producer = _producer(kafka)
    try:
        for event in events:
            producer.produce(
                CHANGES.name,
                encode(event),
                partition_key(event),
                headers=dict(cloud_event_headers(event, SERVICE)),
                on_delivery=delivered,
            )
            producer.poll(0)
    except KafkaException as error:
        raise explained(error.args[0], topic=CHANGES.name) from error
    left = producer.flush(_DELIVERY_SECONDS + 5)
    if failures:
        raise explained(failures[0], topic=CHANGES.name)
    if left:
        raise Unreachable(f"{CHANGES.name}: Kafka does not acknowledge what was done")


@cache
def _producer(kafka: str) -> Producer:
    """One for each process: a command that tells of many things connects once."""
    return Producer(
        client_config(
            kafka,
            **{
                "client.id": "audit-operator",
                "enable.idempotence": True,
                "acks": "all",
                "compression.type": "zstd",
                "partitioner": "murmur2_random",
                "message.timeout.ms": _DELIVERY_SECONDS * 1000,
            },
        )
    )
