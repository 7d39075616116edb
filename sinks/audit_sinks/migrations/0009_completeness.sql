-- Up to when the log is complete. A mark stands in a partition behind all that Kafka received there before it, and is
-- stored behind all of that: so the newest mark of the slowest partition is the moment up to which nothing is missing.

ALTER TABLE ${database}.producer_records ${on_cluster}
    ADD COLUMN IF NOT EXISTS acknowledged Nullable(UInt64) COMMENT 'How many of its events Kafka had acknowledged by then; null where an older producer does not say' CODEC(ZSTD(1)) AFTER sequence;

-- Each Kafka partition has parts of its own, and the view asks for nothing but what a part knows of itself without
-- being read: the newest of sixty days of marks costs a few milliseconds, however many they are.

CREATE TABLE IF NOT EXISTS ${database}.partition_marks ${on_cluster}
(
    partition UInt32 COMMENT 'Partition of audit.changes' CODEC(T64, ZSTD(1)),
    partitions UInt32 COMMENT 'How many partitions audit.changes had then' CODEC(T64, ZSTD(1)),
    offset UInt64 COMMENT 'The mark''s offset in audit.changes: all below it is in audit_events or dead_letters' CODEC(Delta, ZSTD(1)),
    received_at DateTime64(6, 'UTC') COMMENT 'When Kafka appended the mark: all that the partition received before lies below it' CODEC(Delta, ZSTD(1)),
    stored_at DateTime64(3, 'UTC') MATERIALIZED now64(3, 'UTC') COMMENT 'When this row was inserted: less received_at it is how far the log was behind' CODEC(Delta, ZSTD(1)),
    CONSTRAINT partition_is_known CHECK partition < partitions,
    CONSTRAINT received_at_is_in_range CHECK received_at >= toDateTime64('2019-10-01 00:00:00', 6, 'UTC') AND received_at < toDateTime64('2200-01-01 00:00:00', 6, 'UTC')
)
ENGINE = ${replicated}ReplacingMergeTree(${replica}stored_at)
PARTITION BY (partition, partitions, toMonday(received_at))
ORDER BY (partition, received_at, offset)
TTL toDateTime(received_at) + INTERVAL 60 DAY
SETTINGS ${deduplication}, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1
COMMENT 'How far each partition was, every few seconds, for sixty days; repeats do no harm. Read the newest through the view completeness';

CREATE OR REPLACE VIEW ${database}.completeness ${on_cluster}
(
    complete_through Nullable(DateTime64(6, 'UTC')) COMMENT 'Every event that Kafka received before is in audit_log, or among the dead letters; null while a partition has no mark',
    partitions UInt32 COMMENT 'How many partitions audit.changes has; 0 while there is no mark',
    slowest_partition Nullable(UInt32) COMMENT 'The partition that is furthest behind: the first without a mark, where there is one; null while there is no mark at all'
)
AS SELECT
    if(known = 0 OR notEmpty(missing), NULL, slowest.1) AS complete_through,
    known AS partitions,
    multiIf(known = 0, NULL, notEmpty(missing), missing[1], slowest.2) AS slowest_partition
FROM
(
    SELECT
        argMax(known_then, newest) AS known,
        -- Of a topic that was made anew with fewer partitions the old ones do not count.
        arraySort(arrayFilter(mark -> mark.2 < known, groupArray((newest, partition)))) AS marks,
        arrayFilter(number -> NOT has(marks.2, number), range(known)) AS missing,
        marks[1] AS slowest
    FROM
    (
        SELECT partition, max(received_at) AS newest, argMax(known_at, received_at) AS known_then
        FROM
        (
            SELECT partition, partitions AS known_at, max(received_at) AS received_at
            FROM ${database}.partition_marks
            GROUP BY partition, partitions
        )
        GROUP BY partition
    )
)
COMMENT 'Up to when the log is complete, in received time; one row';
