-- Counting 30 million events by who did them: each actor is written once, and counted by its number.

ALTER TABLE ${database}.audit_events ${on_cluster}
    MODIFY COLUMN actor_id LowCardinality(String);

-- Changes of a field that is seldom changed. Each name stands once for thousands of rows: it costs nothing.

ALTER TABLE ${database}.audit_events ${on_cluster}
    ADD INDEX IF NOT EXISTS by_field changes.field TYPE bloom_filter(0.01) GRANULARITY 1;

ALTER TABLE ${database}.audit_events ${on_cluster}
    MATERIALIZE INDEX by_field;

-- Which rows may hold a word, without reading them. Unlike all other indexes it holds words that a newer catalogue can
-- change: under FINAL it would find what an event said before. It is of use only to a query without FINAL, whose rows
-- are then read again with it; so it indexes an expression that no view has.
-- Numbers are left out: most occur once, and they would be nearly all of the index, which a part of a word is looked up in
-- from end to end.

ALTER TABLE ${database}.audit_events ${on_cluster}
    ADD INDEX IF NOT EXISTS by_words replaceRegexpAll(lowerUTF8(concatWithSeparator(' ', description, actor_name, actor_email, target_name, target_id, address, reason)), '[0-9]+', ' ') TYPE text(tokenizer = 'splitByNonAlpha');

ALTER TABLE ${database}.audit_events ${on_cluster}
    MATERIALIZE INDEX by_words;

-- The view anew: what is counted by stays a number instead of becoming a text for every row. To a client both are
-- strings. The names are a contract: a column may be added at the end, none renamed.

CREATE OR REPLACE VIEW ${database}.audit_log ${on_cluster}
(
    event_id UUID COMMENT 'The event',
    account_id LowCardinality(String) COMMENT 'The tenant that owns the row: name it in every query',
    occurred_at DateTime64(6, 'UTC') COMMENT 'When it happened, by the producer''s clock',
    received_at DateTime64(6, 'UTC') COMMENT 'When Kafka appended it: the only clock that all events share',
    actor_type LowCardinality(String) COMMENT 'agent, admin, contact, integration, system or unknown',
    actor_id LowCardinality(String) COMMENT 'Who did it, by the service''s identifier; empty where unknown',
    actor_name String COMMENT 'The actor''s name; empty where unknown',
    actor_email String COMMENT 'The actor''s e-mail address; empty where unknown',
    on_behalf_of_id String COMMENT 'Whom the actor acted for; empty where for itself',
    action_type LowCardinality(String) COMMENT 'create, update, delete, login, logout, export, view, or a service''s own',
    outcome LowCardinality(String) COMMENT 'success or failure',
    module LowCardinality(String) COMMENT 'Part of the product',
    target_type LowCardinality(String) COMMENT 'Type of what it was done to',
    target_id String COMMENT 'What it was done to, by the service''s identifier',
    target_name String COMMENT 'The target''s name; empty where unknown',
    description String COMMENT 'The sentence that the log shows',
    ip String COMMENT 'The IP address; empty where there is none: isIPAddressInRange(ip, ''10.0.0.0/8'')',
    ip_trust LowCardinality(String) COMMENT 'How the address is known: peer, proxy, asserted; or empty',
    country LowCardinality(String) COMMENT 'Country of the IP; empty where unknown',
    via LowCardinality(String) COMMENT 'The way in: web, api, import, sync, automation; or empty',
    session_id String COMMENT 'The session; empty where there is none',
    request_id String COMMENT 'The request; empty where there is none',
    batch_id String COMMENT 'The run of a sync or an import; empty where there is none',
    reason String COMMENT 'Why it was done, in the actor''s words',
    metadata String COMMENT 'The service''s own keys, JSON text of an object: JSONExtractString(metadata, ''key'')',
    outcome_reason String COMMENT 'Why it failed, in the service''s words',
    claimed_at String COMMENT 'The time that the producer gave, where it was out of range; else empty',
    notes Array(String) COMMENT 'What had to be corrected or could not be decided',
    extra String COMMENT 'Fields that this version does not know, JSON text of path to value; or empty',
    on_behalf_of_type LowCardinality(String) COMMENT 'Type of whom the actor acted for; empty where for itself',
    on_behalf_of_name String COMMENT 'Name of whom the actor acted for',
    on_behalf_of_email String COMMENT 'E-mail address of whom the actor acted for',
    target_url String COMMENT 'Where the target can be looked at; empty where unknown',
    related Array(Tuple(type String, id String, name String, url String)) COMMENT 'Further targets that the event belongs to',
    changes Array(Tuple(field String, label String, old String, new String)) COMMENT 'Changed fields in order, as in audit_changes: has(changes.field, ''phone'')',
    address String COMMENT 'The address as it was given: an IP, a host name or a service',
    ip_scope LowCardinality(String) COMMENT 'What IANA''s registries say of the IP: global, private, shared, loopback, ...; or empty',
    city LowCardinality(String) COMMENT 'City of the IP; empty where unknown',
    network LowCardinality(String) COMMENT 'Who owns the IP''s network; empty where unknown',
    forwarded_for String COMMENT 'The raw chain of forwarding headers',
    user_agent String COMMENT 'The client, as it names itself',
    recorded LowCardinality(String) COMMENT 'live, or backfill for history that was imported',
    window_start Nullable(DateTime('UTC')) COMMENT 'Start of the window of a contact''s change; null for all else',
    description_key LowCardinality(String) COMMENT 'The template that made the description',
    catalogue_version UInt32 COMMENT 'The catalogue that decided module and description',
    idempotency_key String COMMENT 'The service''s name for the event, from which its id was derived; or empty',
    producer_service LowCardinality(String) COMMENT 'The service that published it; empty where unknown',
    producer_instance String COMMENT 'The process that published it',
    producer_sequence UInt64 COMMENT 'Its number among that process''s events, from 1; 0 where unknown',
    source_partition UInt32 COMMENT 'Partition in audit.changes',
    source_offset UInt64 COMMENT 'Offset in audit.changes',
    stored_at DateTime64(3, 'UTC') COMMENT 'When this row was inserted',
    window_end Nullable(DateTime('UTC')) COMMENT 'End of the window of a contact''s change; null for all else',
    place LowCardinality(String) COMMENT 'Where it was, in words: Berlin, Germany; private network; sync job; a host''s name; or empty',
    client LowCardinality(String) COMMENT 'What the user agent stands for, in words: Firefox 140 on Linux; Zapier; or empty'
)
AS SELECT
    event_id,
    account_id,
    occurred_at,
    received_at,
    actor_type,
    actor_id,
    actor_name,
    actor_email,
    on_behalf_of_id,
    action_type,
    outcome,
    module,
    target_type,
    target_id,
    target_name,
    description,
    ip,
    ip_trust,
    country,
    via,
    session_id,
    request_id,
    batch_id,
    reason,
    metadata,
    outcome_reason,
    claimed_at,
    notes,
    extra,
    on_behalf_of_type,
    on_behalf_of_name,
    on_behalf_of_email,
    target_url,
    related,
    changes,
    address,
    ip_scope,
    city,
    network,
    forwarded_for,
    user_agent,
    recorded,
    window_start,
    description_key,
    catalogue_version,
    idempotency_key,
    producer_service,
    producer_instance,
    producer_sequence,
    source_partition,
    source_offset,
    stored_at,
    window_end,
    place,
    client
FROM ${database}.audit_events FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1, use_skip_indexes_if_final = 1, use_skip_indexes_if_final_exact_mode = 0
COMMENT 'The audit log, one row for each event; newest first: ORDER BY occurred_at DESC, event_id DESC';
