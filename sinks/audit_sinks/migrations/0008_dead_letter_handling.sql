-- What was done about dead letters: one without a row here is open.

CREATE TABLE IF NOT EXISTS ${database}.dead_letter_handling ${on_cluster}
(
    dead_letter_id UUID COMMENT 'The dead letter: see dead_letters',
    action LowCardinality(String) COMMENT 'replayed: put back into its topic; purged: given up',
    handled_by String COMMENT 'Who did it, as they named themselves' CODEC(ZSTD(1)),
    reason String COMMENT 'Why, in their words; empty where they gave none' CODEC(ZSTD(1)),
    partition Nullable(UInt32) COMMENT 'Where Kafka appended the replayed record, in the topic of the letter; null for a purge',
    offset Nullable(UInt64) COMMENT 'Its offset there; null for a purge',
    mended Bool COMMENT 'Whether other bytes were put back than were refused',
    handled_at DateTime64(6, 'UTC') COMMENT 'When it was done' CODEC(Delta, ZSTD(1)),
    CONSTRAINT letter_is_given CHECK dead_letter_id != toUUID('00000000-0000-0000-0000-000000000000'),
    CONSTRAINT action_is_known CHECK action IN ('replayed', 'purged'),
    CONSTRAINT purge_has_a_reason CHECK action != 'purged' OR reason != ''
)
ENGINE = ${replicated}ReplacingMergeTree(${replica}handled_at)
ORDER BY (dead_letter_id, handled_at, action)
SETTINGS ${deduplication}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What was done about dead letters; nothing of a letter is deleted before its time';
