"""Which topic fills which table, and how ClickHouse reads the messages: one definition of each.

A block is one column of messages. ClickHouse parses them itself, which is several times faster than
rows made in Python. Each feed spells out the JSON's types and every column's expression.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from audit_schemas import topics
from audit_schemas.dead_letter import DeadLetter
from audit_schemas.directory import Account, DirectoryActor
from audit_schemas.producer_record import ProducerRecord
from audit_sinks.payloads import Read, read_event, reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One topic's way into one table."""

    topic: str
    table: str
    read: Read
    """Checks a message before it is sent."""
    structure: str
    """The message's JSON as a tuple's type: what is absent or null becomes the type's default."""
    columns: Mapping[str, str]
    """Column -> its expression over the tuple `m`."""

    @property
    def insert(self) -> str:
        """The INSERT that takes a block of one String column.

        `isValidJSON` guards what JSONExtract would blank without a word; the table's constraints
        guard the rest. The subselects are there because VALUES must not follow a WHERE.
        """
        return (
            f"INSERT INTO {self.table} ({', '.join(self.columns)}) "  # noqa: S608 - all of it is written below
            f"SELECT {', '.join(self.columns.values())} "
            f"FROM (SELECT JSONExtract(payload, 'Tuple({self.structure})') AS m FROM input('payload String') "
            "WHERE NOT throwIf(NOT isValidJSON(payload), 'the message is no valid JSON')) VALUES"
        )


def _instant(expression: str) -> str:
    return f"parseDateTime64BestEffort({expression}, 6, 'UTC')"


_PRINCIPAL = "type String, id String, name String, email String"
_TARGET = "type String, id String, name String, url String"

EVENTS = Feed(
    topic=topics.EVENTS.name,
    table="audit_events",
    read=read_event,
    structure=f"""
        id UUID, account String, occurred_at String, claimed_at String, received_at String,
        window Nullable(UInt32), module String, description String, description_key String,
        catalogue_version UInt32, actor Tuple({_PRINCIPAL}, on_behalf_of Tuple({_PRINCIPAL})),
        action String, outcome String, outcome_reason String, target Tuple({_TARGET}),
        related Array(Tuple({_TARGET})),
        changes Array(Tuple(field String, label String, old String, new String)),
        origin Tuple(address String, ip String, ip_trust String, scope String, country String, city String,
            network String, forwarded_for String, user_agent String, session String, request_id String,
            via String, batch String),
        reason String, metadata String, idempotency_key String, recorded String,
        producer Tuple(service String, instance String, sequence UInt64),
        source_partition UInt32, source_offset UInt64, notes Array(String), extra String""",
    columns={
        "event_id": "m.id",
        "account_id": "m.account",
        "occurred_at": _instant("m.occurred_at"),
        "claimed_at": "m.claimed_at",
        "received_at": _instant("m.received_at"),
        "window_start": "m.window",
        "module": "m.module",
        "description": "m.description",
        "description_key": "m.description_key",
        "catalogue_version": "m.catalogue_version",
        "actor_type": "m.actor.type",
        "actor_id": "m.actor.id",
        "actor_name": "m.actor.name",
        "actor_email": "m.actor.email",
        "on_behalf_of_type": "m.actor.on_behalf_of.type",
        "on_behalf_of_id": "m.actor.on_behalf_of.id",
        "on_behalf_of_name": "m.actor.on_behalf_of.name",
        "on_behalf_of_email": "m.actor.on_behalf_of.email",
        "action_type": "m.action",
        "outcome": "m.outcome",
        "outcome_reason": "m.outcome_reason",
        "target_type": "m.target.type",
        "target_id": "m.target.id",
        "target_name": "m.target.name",
        "target_url": "m.target.url",
        "related": "m.related",
        "changes": "m.changes",
        "address": "m.origin.address",
        "ip": "m.origin.ip",
        "ip_trust": "m.origin.ip_trust",
        "ip_scope": "m.origin.scope",
        "country": "m.origin.country",
        "city": "m.origin.city",
        "network": "m.origin.network",
        "forwarded_for": "m.origin.forwarded_for",
        "user_agent": "m.origin.user_agent",
        "session_id": "m.origin.session",
        "request_id": "m.origin.request_id",
        "via": "m.origin.via",
        "batch_id": "m.origin.batch",
        "reason": "m.reason",
        "metadata": "if(m.metadata = '', '{}', m.metadata)",
        "idempotency_key": "m.idempotency_key",
        "recorded": "m.recorded",
        "producer_service": "m.producer.service",
        "producer_instance": "m.producer.instance",
        "producer_sequence": "m.producer.sequence",
        "source_partition": "m.source_partition",
        "source_offset": "m.source_offset",
        "notes": "m.notes",
        "extra": "m.extra",
    },
)

ACCOUNTS = Feed(
    topic=topics.ACCOUNTS.name,
    table="accounts",
    read=reader(Account),
    structure="id String, name String, plan String, zone String, updated_at String",
    columns={
        "account_id": "m.id",
        "name": "m.name",
        "plan": "m.plan",
        "zone": "m.zone",
        "updated_at": _instant("m.updated_at"),
    },
)

ACTORS = Feed(
    topic=topics.ACTORS.name,
    table="actors",
    read=reader(DirectoryActor),
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
        "updated_at": _instant("m.updated_at"),
    },
)

DEAD_LETTERS = Feed(
    topic=topics.DEAD_LETTERS.name,
    table="dead_letters",
    read=reader(DeadLetter),
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
        "received_at": _instant("m.received_at"),
        "failed_at": _instant("m.failed_at"),
    },
)

PRODUCER_RECORDS = Feed(
    topic=topics.PRODUCERS.name,
    table="producer_records",
    read=reader(ProducerRecord),
    structure="service String, instance String, kind String, sequence UInt64, at String",
    columns={
        "service": "m.service",
        "instance": "m.instance",
        "kind": "m.kind",
        "sequence": "m.sequence",
        "at": _instant("m.at"),
    },
)

FEEDS: Mapping[str, Feed] = {
    feed.topic: feed for feed in (EVENTS, ACCOUNTS, ACTORS, DEAD_LETTERS, PRODUCER_RECORDS)
}
"""By topic."""
