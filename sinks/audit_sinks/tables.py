"""Which topic fills which tables, and what may pass: the sink's list of everything that it does."""

from collections.abc import Mapping

from audit_schemas import topics
from audit_schemas.dead_letter import DeadLetter
from audit_schemas.directory import Account, DirectoryActor
from audit_schemas.mark import Mark
from audit_schemas.producer_record import ProducerRecord
from audit_sinks.event_feeds import CONTACT_BATCHES, CONTACT_EVENTS, EVENTS
from audit_sinks.feed import Feed, instant
from audit_sinks.payloads import Read, read_batch, read_event, reader

ACCOUNTS = Feed(
    topic=topics.ACCOUNTS.name,
    table="accounts",
    structure="id String, name String, plan String, zone String, record_reads Bool, updated_at String",
    columns={
        "account_id": "m.id",
        "name": "m.name",
        "plan": "m.plan",
        "zone": "m.zone",
        "record_reads": "m.record_reads",
        "updated_at": instant("m.updated_at"),
    },
)

ACTORS = Feed(
    topic=topics.ACTORS.name,
    table="actors",
    structure="""
        account String, id String, type String, name String, email String, role String,
        permissions Array(String), zone String, active Bool, updated_at String""",
    columns={
        "account_id": "m.account",
        "actor_id": "m.id",
        "type": "m.type",
        "name": "m.name",
        "email": "m.email",
        "role": "m.role",
        "permissions": "m.permissions",
        "zone": "m.zone",
        "active": "m.active",
        "updated_at": instant("m.updated_at"),
    },
)

DEAD_LETTERS = Feed(
    topic=topics.DEAD_LETTERS.name,
    table="dead_letters",
    structure="""
        id UUID, stage String, reason String, detail String, topic String, partition UInt32, offset UInt64,
        key Nullable(String), value Nullable(String), headers Array(Tuple(name String, value String)),
        received_at String, failed_at String""",
    columns={
        "dead_letter_id": "m.id",
        "stage": "m.stage",
        "reason": "m.reason",
        "detail": "m.detail",
        "topic": "m.topic",
        "partition": "m.partition",
        "offset": "m.offset",
        "key": "m.key",
        "value": "m.value",
        "headers": "m.headers",
        "received_at": instant("m.received_at"),
        "failed_at": instant("m.failed_at"),
    },
)

PRODUCER_RECORDS = Feed(
    topic=topics.PRODUCERS.name,
    table="producer_records",
    structure="""
        service String, instance String, kind String, sequence UInt64, acknowledged Nullable(UInt64),
        at String""",
    columns={
        "service": "m.service",
        "instance": "m.instance",
        "kind": "m.kind",
        "sequence": "m.sequence",
        "acknowledged": "m.acknowledged",
        "at": instant("m.at"),
    },
)

MARKS = Feed(
    topic=topics.EVENTS.name,
    table="partition_marks",
    structure="mark UInt32, partition UInt32, partitions UInt32, offset UInt64, received_at String",
    columns={
        "partition": "m.partition",
        "partitions": "m.partitions",
        "offset": "m.offset",
        "received_at": instant("m.received_at"),
    },
)
"""Beside the topic's feeds: of a block its marks come last, when all else of it is stored or kept."""

read_mark = reader(Mark)

READERS: Mapping[str, Read] = {
    topics.EVENTS.name: read_event,
    topics.CONTACT_BATCHES.name: read_batch,
    topics.ACCOUNTS.name: reader(Account),
    topics.ACTORS.name: reader(DirectoryActor),
    topics.DEAD_LETTERS.name: reader(DeadLetter),
    topics.PRODUCERS.name: reader(ProducerRecord),
}
"""By topic: each message is checked before it is sent."""

_FEEDS = (EVENTS, CONTACT_EVENTS, CONTACT_BATCHES, ACCOUNTS, ACTORS, DEAD_LETTERS, PRODUCER_RECORDS)

FEEDS: Mapping[str, tuple[Feed, ...]] = {
    topic: tuple(feed for feed in _FEEDS if feed.topic == topic) for topic in READERS
}
"""By topic, in the order in which the topic's tables are filled.

What may be refused comes first: a message that one table refuses is refused as a whole.
"""
