-- What publishing processes say of themselves, so that a missing event can be noticed.

CREATE TABLE IF NOT EXISTS ${database}.producer_records ${on_cluster}
(
    service LowCardinality(String) COMMENT 'The service that publishes',
    instance String COMMENT 'One running process of it' CODEC(ZSTD(1)),
    kind LowCardinality(String) COMMENT 'start, heartbeat or stop',
    sequence UInt64 COMMENT 'Number of its newest event; 0 before the first' CODEC(ZSTD(1)),
    at DateTime64(6, 'UTC') COMMENT 'When it said so' CODEC(Delta, ZSTD(1)),
    CONSTRAINT keys_are_given CHECK service != '' AND instance != '',
    CONSTRAINT kind_is_known CHECK kind IN ('start', 'heartbeat', 'stop')
)
ENGINE = ${replicated}ReplacingMergeTree(${replica}at)
PARTITION BY toYear(at)
ORDER BY (service, instance, at, kind)
SETTINGS ${deduplication}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Starts, heartbeats and stops of publishing processes';
