-- Accounts and actors as the services last described them.

CREATE TABLE IF NOT EXISTS ${database}.accounts ${on_cluster}
(
    account_id String COMMENT 'The tenant',
    name String COMMENT 'Its name',
    plan LowCardinality(String) COMMENT 'Its plan',
    zone LowCardinality(String) COMMENT 'The IANA time zone in which its people read times',
    updated_at DateTime64(6, 'UTC') COMMENT 'When the service described it so; the newest wins',
    CONSTRAINT account_id_is_given CHECK account_id != '',
    CONSTRAINT zone_is_given CHECK zone != ''
)
ENGINE = ${replicated}ReplacingMergeTree(${replica}updated_at)
ORDER BY account_id
SETTINGS ${deduplication}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'The directory''s accounts; read with FINAL';

CREATE TABLE IF NOT EXISTS ${database}.actors ${on_cluster}
(
    account_id LowCardinality(String) COMMENT 'The tenant that the actor belongs to',
    actor_id String COMMENT 'The actor, by the service''s identifier',
    type LowCardinality(String) COMMENT 'agent, admin, contact, integration, system or unknown',
    name String COMMENT 'The actor''s name',
    email String COMMENT 'The actor''s e-mail address',
    role LowCardinality(String) COMMENT 'The actor''s role',
    permissions Array(LowCardinality(String)) COMMENT 'Titles of the actor''s permissions',
    zone LowCardinality(String) COMMENT 'The IANA time zone in which the actor reads times; empty: the account''s',
    active Bool COMMENT 'False once the actor has left: its permissions are gone',
    updated_at DateTime64(6, 'UTC') COMMENT 'When the service described it so; the newest wins',
    CONSTRAINT keys_are_given CHECK account_id != '' AND actor_id != ''
)
ENGINE = ${replicated}ReplacingMergeTree(${replica}updated_at)
ORDER BY (account_id, actor_id)
SETTINGS ${deduplication}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'The directory''s actors; read with FINAL';
