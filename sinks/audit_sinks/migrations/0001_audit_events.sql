-- The audit log itself: one row for each event, and for a moment one for each of its repeats.
-- Of the rows of one event the highest version stays: the newest catalogue's, and of equals the first received.

CREATE TABLE IF NOT EXISTS ${database}.audit_events ${on_cluster}
(
    event_id UUID COMMENT 'The event, minted once by its producer' CODEC(ZSTD(1)),
    account_id LowCardinality(String) COMMENT 'The tenant that owns the row',
    occurred_at DateTime64(6, 'UTC') COMMENT 'When it happened, by the producer''s clock' CODEC(Delta, ZSTD(1)),
    claimed_at String COMMENT 'The time that the producer gave, where it was out of range and received_at took its place; else empty' CODEC(ZSTD(1)),
    received_at DateTime64(6, 'UTC') COMMENT 'When Kafka appended it: the only clock that all events share' CODEC(Delta, ZSTD(1)),
    window_start Nullable(DateTime('UTC')) COMMENT 'Start of the window of a contact''s change; null for all else',
    module LowCardinality(String) COMMENT 'Part of the product, as the catalogue decides',
    description String COMMENT 'The sentence that the log shows, as it was worded when the event was enriched' CODEC(ZSTD(1)),
    description_key LowCardinality(String) COMMENT 'The template that made the description',
    catalogue_version UInt32 COMMENT 'The catalogue that decided module and description' CODEC(T64, ZSTD(1)),
    actor_type LowCardinality(String) COMMENT 'agent, admin, contact, integration, system or unknown',
    actor_id String COMMENT 'Who did it, by the service''s identifier; empty where unknown' CODEC(ZSTD(1)),
    actor_name String COMMENT 'The actor''s name; empty where unknown' CODEC(ZSTD(1)),
    actor_email String COMMENT 'The actor''s e-mail address; empty where unknown' CODEC(ZSTD(1)),
    on_behalf_of_type LowCardinality(String) COMMENT 'Type of whom the actor acted for; empty where for itself',
    on_behalf_of_id String COMMENT 'Whom the actor acted for; empty where for itself' CODEC(ZSTD(1)),
    on_behalf_of_name String COMMENT 'Name of whom the actor acted for' CODEC(ZSTD(1)),
    on_behalf_of_email String COMMENT 'E-mail address of whom the actor acted for' CODEC(ZSTD(1)),
    action_type LowCardinality(String) COMMENT 'create, update, delete, login, logout, export, view, or a service''s own',
    outcome LowCardinality(String) COMMENT 'success or failure',
    outcome_reason String COMMENT 'Why it failed, in the service''s words' CODEC(ZSTD(1)),
    target_type LowCardinality(String) COMMENT 'Type of what it was done to',
    target_id String COMMENT 'What it was done to, by the service''s identifier' CODEC(ZSTD(1)),
    target_name String COMMENT 'The target''s name; empty where unknown' CODEC(ZSTD(1)),
    target_url String COMMENT 'Where the target can be looked at; empty where unknown' CODEC(ZSTD(1)),
    related Array(Tuple(type String, id String, name String, url String)) COMMENT 'Further targets that the event belongs to' CODEC(ZSTD(1)),
    changes Array(Tuple(field String, label String, old String, new String)) COMMENT 'Changed fields in order. old and new are JSON text: empty = absent, null = null, "" = an empty text; JSONExtractString(old) reads a text' CODEC(ZSTD(1)),
    address String COMMENT 'The address as it was given: an IP, a host name or a service' CODEC(ZSTD(1)),
    ip String COMMENT 'The IP address in it, in canonical form; empty where there is none' CODEC(ZSTD(1)),
    ip_trust LowCardinality(String) COMMENT 'How the address is known: peer (the socket''s), proxy (a trusted proxy''s word), asserted; or empty',
    ip_scope LowCardinality(String) COMMENT 'What IANA''s registries say of the IP: global, private, shared, loopback, ...; or empty',
    country LowCardinality(String) COMMENT 'Country of the IP; empty where unknown',
    city LowCardinality(String) COMMENT 'City of the IP; empty where unknown',
    network LowCardinality(String) COMMENT 'Who owns the IP''s network; empty where unknown',
    forwarded_for String COMMENT 'The raw chain of forwarding headers' CODEC(ZSTD(1)),
    user_agent String COMMENT 'The client, as it names itself' CODEC(ZSTD(1)),
    session_id String COMMENT 'The session; empty where there is none' CODEC(ZSTD(1)),
    request_id String COMMENT 'The request; empty where there is none' CODEC(ZSTD(1)),
    via LowCardinality(String) COMMENT 'The way in: web, api, import, sync, automation; or empty',
    batch_id String COMMENT 'The run of a sync or an import; empty where there is none' CODEC(ZSTD(1)),
    reason String COMMENT 'Why it was done, in the actor''s words' CODEC(ZSTD(1)),
    metadata String DEFAULT '{}' COMMENT 'The service''s own keys, JSON text of an object: JSONExtractString(metadata, ''key'')' CODEC(ZSTD(1)),
    idempotency_key String COMMENT 'The service''s name for the event, from which its id was derived; or empty' CODEC(ZSTD(1)),
    recorded LowCardinality(String) COMMENT 'live, or backfill for history that was imported',
    producer_service LowCardinality(String) COMMENT 'The service that published it; empty where unknown',
    producer_instance String COMMENT 'The process that published it' CODEC(ZSTD(1)),
    producer_sequence UInt64 COMMENT 'Its number among that process''s events, from 1; 0 where unknown' CODEC(Delta, ZSTD(1)),
    source_partition UInt32 COMMENT 'Partition in audit.changes' CODEC(T64, ZSTD(1)),
    source_offset UInt64 COMMENT 'Offset in audit.changes' CODEC(Delta, ZSTD(1)),
    notes Array(LowCardinality(String)) COMMENT 'What the processor had to correct or could not decide',
    extra String COMMENT 'Fields that the processor or the sink did not know, JSON text of path to value; or empty' CODEC(ZSTD(1)),
    stored_at DateTime64(3, 'UTC') MATERIALIZED now64(3, 'UTC') COMMENT 'When this row was inserted' CODEC(Delta, ZSTD(1)),
    -- 20 bits for the catalogue, 44 for milliseconds (until the year 2527), counted backwards.
    version UInt64 MATERIALIZED bitShiftLeft(toUInt64(catalogue_version), 44) + (17592186044415 - toUInt64(toUnixTimestamp64Milli(received_at))) COMMENT 'The larger wins: catalogue_version in the upper 20 bits, then the earlier received_at' CODEC(Delta, ZSTD(1)),

    -- Only what the producer gave is indexed: it is the same in every copy of an event, and so FINAL may skip by it.
    INDEX by_event event_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_target target_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_actor actor_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_session session_id TYPE bloom_filter(0.01) GRANULARITY 1,

    CONSTRAINT event_id_is_given CHECK event_id != toUUID('00000000-0000-0000-0000-000000000000'),
    CONSTRAINT account_id_is_given CHECK account_id != '',
    CONSTRAINT target_is_given CHECK target_type != '' AND target_id != '',
    CONSTRAINT action_type_is_given CHECK action_type != '',
    CONSTRAINT module_is_given CHECK module != '',
    CONSTRAINT actor_type_is_given CHECK actor_type != '',
    CONSTRAINT outcome_is_known CHECK outcome IN ('success', 'failure'),
    CONSTRAINT recorded_is_known CHECK recorded IN ('live', 'backfill'),
    CONSTRAINT occurred_at_is_in_range CHECK occurred_at >= toDateTime64('2019-10-01 00:00:00', 6, 'UTC') AND occurred_at <= received_at + INTERVAL 1 DAY,
    CONSTRAINT received_at_is_in_range CHECK received_at >= toDateTime64('2019-10-01 00:00:00', 6, 'UTC') AND received_at < toDateTime64('2200-01-01 00:00:00', 6, 'UTC'),
    CONSTRAINT catalogue_version_fits CHECK catalogue_version BETWEEN 1 AND 1048575
)
ENGINE = ${replicated}ReplacingMergeTree(${replica}version)
PARTITION BY toYear(occurred_at)
ORDER BY (account_id, occurred_at, event_id)
SETTINGS ${deduplication}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Every event of the audit log; read it through the views audit_log and audit_changes';
