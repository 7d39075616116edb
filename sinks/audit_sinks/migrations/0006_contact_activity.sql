-- A contact's activity: one row for each change of a contact, once its window is over, and one for each that was
-- imported. The columns are those of audit_events: they are defined once.

ALTER TABLE ${database}.audit_events ${on_cluster}
    ADD COLUMN IF NOT EXISTS window_end Nullable(DateTime('UTC')) COMMENT 'End of the window of a contact''s change; null for all else' AFTER window_start;

CREATE TABLE IF NOT EXISTS ${database}.contact_events ${on_cluster} AS ${database}.audit_events
ENGINE = ${replicated}ReplacingMergeTree(${replica}version)
PARTITION BY toYear(occurred_at)
ORDER BY (account_id, target_id, occurred_at, event_id)
SETTINGS ${deduplication}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Every change of a contact whose window is over; read it through the view contact_activity';

ALTER TABLE ${database}.contact_events ${on_cluster}
    ADD COLUMN IF NOT EXISTS contact_batch_id UUID COMMENT 'The batch that brought the change: see contact_batches' CODEC(ZSTD(1)) AFTER extra;

-- 44 bits for milliseconds, counted backwards, as in audit_events: so both keep the same copy. 20 bits for seconds since the window's start.
ALTER TABLE ${database}.contact_events ${on_cluster}
    MODIFY COLUMN version UInt64 MATERIALIZED bitShiftLeft(17592186044415 - toUInt64(toUnixTimestamp64Milli(received_at)), 20) + toUInt64(least(greatest(intDiv(toUnixTimestamp64Milli(received_at), 1000) - toInt64(ifNull(toUnixTimestamp(window_start), 4294967295)), 0), 1048575)) COMMENT 'The larger wins: the earlier received_at in the upper 44 bits, and so the earlier window; then, of one receipt, the earlier window_start';

CREATE TABLE IF NOT EXISTS ${database}.contact_batches ${on_cluster}
(
    batch_id UUID COMMENT 'The batch: equal ids hold equal changes' CODEC(ZSTD(1)),
    account_id LowCardinality(String) COMMENT 'The tenant that owns the contact',
    contact_id String COMMENT 'The contact, by the service''s identifier' CODEC(ZSTD(1)),
    window_start Nullable(DateTime('UTC')) COMMENT 'Start of the window; null for an import, which waits for none',
    window_end Nullable(DateTime('UTC')) COMMENT 'End of the window; null for an import',
    topic LowCardinality(String) COMMENT 'Where the changes were read',
    partition UInt32 COMMENT 'Partition of that topic' CODEC(T64, ZSTD(1)),
    first_offset UInt64 COMMENT 'Offset of the first of the changes' CODEC(Delta, ZSTD(1)),
    last_offset UInt64 COMMENT 'Offset of the last of the changes; others lie between' CODEC(Delta, ZSTD(1)),
    changes UInt32 COMMENT 'How many changes it holds' CODEC(T64, ZSTD(1)),
    closed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When Kafka appended what proved the window over; null for an import',
    extra String COMMENT 'Fields that the sink did not know, JSON text of name to value; or empty' CODEC(ZSTD(1)),
    stored_at DateTime64(3, 'UTC') MATERIALIZED now64(3, 'UTC') COMMENT 'When this row was inserted' CODEC(Delta, ZSTD(1)),
    INDEX by_batch batch_id TYPE bloom_filter(0.01) GRANULARITY 1,
    CONSTRAINT batch_id_is_given CHECK batch_id != toUUID('00000000-0000-0000-0000-000000000000'),
    CONSTRAINT keys_are_given CHECK account_id != '' AND contact_id != '' AND topic != ''
)
ENGINE = ${replicated}ReplacingMergeTree(${replica}stored_at)
ORDER BY (account_id, contact_id, topic, partition, first_offset, batch_id)
SETTINGS ${deduplication}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What was written to contact_events together, and where it came from; read with FINAL';
