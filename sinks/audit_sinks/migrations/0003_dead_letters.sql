-- What was refused, with its bytes and the reason.

CREATE TABLE IF NOT EXISTS ${database}.dead_letters ${on_cluster}
(
    dead_letter_id UUID COMMENT 'Derived from the place: a repeated refusal is the same dead letter',
    stage LowCardinality(String) COMMENT 'The part that refused it: processor or sink',
    reason LowCardinality(String) COMMENT 'A short code to count by',
    detail String COMMENT 'What is wrong with it, for a person' CODEC(ZSTD(1)),
    topic LowCardinality(String) COMMENT 'Topic of the refused record',
    partition UInt32 COMMENT 'Its partition',
    offset UInt64 COMMENT 'Its offset',
    key Nullable(String) COMMENT 'Its key as base64; null where it had none: base64Decode(key)' CODEC(ZSTD(1)),
    value Nullable(String) COMMENT 'Its value as base64; null where it had none: base64Decode(value)' CODEC(ZSTD(1)),
    headers Array(Tuple(name String, value String)) COMMENT 'Its headers; the values as base64' CODEC(ZSTD(1)),
    received_at DateTime64(6, 'UTC') COMMENT 'When Kafka appended it',
    failed_at DateTime64(6, 'UTC') COMMENT 'When it was refused',
    INDEX by_id dead_letter_id TYPE bloom_filter(0.01) GRANULARITY 1,
    CONSTRAINT id_is_given CHECK dead_letter_id != toUUID('00000000-0000-0000-0000-000000000000'),
    CONSTRAINT place_is_given CHECK topic != '' AND stage != '' AND reason != ''
)
ENGINE = ${replicated}ReplacingMergeTree(${replica}failed_at)
PARTITION BY toYear(received_at)
ORDER BY (received_at, dead_letter_id)
SETTINGS ${deduplication}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Messages that were refused; read with FINAL';
