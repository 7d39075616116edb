-- What of an event's wording is its producer's own word. Rows of catalogue 1 do not know it: `audit reenrich` finds it out.

ALTER TABLE ${database}.audit_events ${on_cluster}
    ADD COLUMN IF NOT EXISTS named_by_producer Array(LowCardinality(String)) COMMENT 'What of the wording the producer gave itself: module, labels; it stays when the catalogue changes' AFTER catalogue_version;

ALTER TABLE ${database}.contact_events ${on_cluster}
    ADD COLUMN IF NOT EXISTS named_by_producer Array(LowCardinality(String)) COMMENT 'What of the wording the producer gave itself: module, labels; it stays when the catalogue changes' AFTER catalogue_version;
