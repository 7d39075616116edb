-- One request's events, and one run's: found without reading the account.

ALTER TABLE ${database}.audit_events ${on_cluster}
    ADD INDEX IF NOT EXISTS by_request request_id TYPE bloom_filter(0.01) GRANULARITY 1,
    ADD INDEX IF NOT EXISTS by_batch batch_id TYPE bloom_filter(0.01) GRANULARITY 1;

ALTER TABLE ${database}.audit_events ${on_cluster}
    MATERIALIZE INDEX by_request;

ALTER TABLE ${database}.audit_events ${on_cluster}
    MATERIALIZE INDEX by_batch;
