-- Which accounts want to know who reads their log.

ALTER TABLE ${database}.accounts ${on_cluster}
    ADD COLUMN IF NOT EXISTS record_reads Bool DEFAULT false COMMENT 'Whether the log keeps who read it' AFTER zone;
