-- History goes back further than live events: to 1990, see audit_schemas/accepted_times.py.

ALTER TABLE ${database}.audit_events ${on_cluster}
    DROP CONSTRAINT IF EXISTS occurred_at_is_in_range;

ALTER TABLE ${database}.audit_events ${on_cluster}
    ADD CONSTRAINT IF NOT EXISTS occurred_at_is_in_range CHECK occurred_at >= if(recorded = 'backfill', toDateTime64('1990-01-01 00:00:00', 6, 'UTC'), toDateTime64('2019-10-01 00:00:00', 6, 'UTC')) AND occurred_at <= received_at + INTERVAL 1 DAY;

ALTER TABLE ${database}.contact_events ${on_cluster}
    DROP CONSTRAINT IF EXISTS occurred_at_is_in_range;

ALTER TABLE ${database}.contact_events ${on_cluster}
    ADD CONSTRAINT IF NOT EXISTS occurred_at_is_in_range CHECK occurred_at >= if(recorded = 'backfill', toDateTime64('1990-01-01 00:00:00', 6, 'UTC'), toDateTime64('2019-10-01 00:00:00', 6, 'UTC')) AND occurred_at <= received_at + INTERVAL 1 DAY;
