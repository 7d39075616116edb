"""The directory's entries: as records to publish, and as they stand in their compacted topics."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict, TypeVar

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from pydantic import BaseModel, ValidationError

from audit_producers.delivery.base import Record
from audit_producers.settings import KafkaClient
from audit_schemas.directory import Account, DirectoryActor, account_key, actor_key
from audit_schemas.errors import Invalid, Misconfigured, Unreachable
from audit_schemas.event import ActorType
from audit_schemas.topics import ACCOUNTS, ACTORS, Topic

Entry = TypeVar("Entry", Account, DirectoryActor)

_ANSWER_SECONDS = 5.0


class AccountFields(TypedDict, total=False):
    """What an account's entry holds besides its id."""

    name: str
    plan: str
    zone: str
    record_reads: bool


class ActorFields(TypedDict, total=False):
    """What an actor's entry holds besides its account and id."""

    type: ActorType
    name: str
    email: str
    role: str
    permissions: tuple[str, ...]
    zone: str | None
    active: bool


def account_record(id: str, fields: Mapping[str, Any], *, updated_at: datetime) -> Record:  # noqa: A002
    """The record of an account's entry.

    Raises:
        Invalid: naming the fields that are wrong.
    """
    entry = _checked(Account, {**fields, "id": id, "updated_at": updated_at})
    return Record(ACCOUNTS.name, account_key(id), _lean(entry))


def actor_record(account: str, id: str, fields: Mapping[str, Any], *, updated_at: datetime) -> Record:  # noqa: A002
    """The record of an actor's entry.

    Raises:
        Invalid: naming the fields that are wrong.
    """
    entry = _checked(DirectoryActor, {**fields, "account": account, "id": id, "updated_at": updated_at})
    return Record(ACTORS.name, actor_key(account, id), _lean(entry))


def _checked(cls: type[Entry], fields: Mapping[str, Any]) -> Entry:
    if unknown := fields.keys() - cls.model_fields.keys():
        raise Invalid(f"{', '.join(sorted(unknown))}: unknown; there are {', '.join(cls.model_fields)}")
    try:
        return cls.model_validate(fields)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        told = (
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in faults
            if fault["type"] != "default_factory_not_called"  # follows from another fault, which is told
        )
        raise Invalid("; ".join(told)) from None


def _lean(entry: BaseModel) -> bytes:
    """Only what was given and says something; permissions that were not listed stay those of the type."""
    return entry.model_dump_json(exclude_unset=True, exclude_defaults=True).encode()


def accounts(kafka: KafkaClient) -> dict[str, Account]:
    """The accounts by id, read from the topic's beginning to its present end.

    Raises:
        Unreachable: Kafka does not answer.
        Misconfigured: there is no such topic.
    """
    return {entry.id: entry for entry in _newest(kafka, ACCOUNTS, Account)}


def actors(kafka: KafkaClient, account: str) -> dict[str, DirectoryActor]:
    """An account's actors by id; raises as `accounts` does."""
    return {entry.id: entry for entry in _newest(kafka, ACTORS, DirectoryActor) if entry.account == account}


def _newest(kafka: KafkaClient, topic: Topic, cls: type[Entry]) -> list[Entry]:
    entries: dict[bytes, bytes] = {}
    troubles: list[str] = []
    consumer = Consumer(
        {
            **kafka.librdkafka(),
            "group.id": "audit-directory-reader",  # required by the client; no offset is ever committed
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 20,
            "error_cb": lambda error: troubles.append(error.str()),
            "log_level": 2,
        }
    )
    try:
        _read_to_end(consumer, topic, entries)
    except KafkaException as error:
        consumer.poll(0)  # lets the client tell its troubles
        reason = troubles[-1] if troubles else error.args[0].str()
        raise Unreachable(f"Kafka at {kafka.kafka} does not answer: {reason}") from None
    finally:
        consumer.close()
    return [cls.model_validate_json(value) for value in entries.values()]


def _read_to_end(consumer: Consumer, topic: Topic, entries: dict[bytes, bytes]) -> None:
    found = consumer.list_topics(topic.name, timeout=_ANSWER_SECONDS).topics[topic.name]
    if found.error is not None:
        raise Misconfigured(f"the topic {topic.name} is not there", remedy="make it with: audit topics apply")
    unread = set(found.partitions)
    consumer.assign([TopicPartition(topic.name, partition, OFFSET_BEGINNING) for partition in unread])
    while unread:
        message = consumer.poll(_ANSWER_SECONDS)
        if message is None:
            raise Unreachable(f"Kafka does not answer: {topic.name} cannot be read to its end")
        error, key, value = message.error(), message.key() or b"", message.value()
        if error is not None and error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
            unread.discard(message.partition() or 0)
        elif error is not None:
            raise KafkaException(error)
        elif value is None:
            entries.pop(key, None)
        else:
            entries[key] = value
