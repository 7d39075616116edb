-- The views anew with the end of the window, and two more. The names are a contract: a column may be added at the end,
-- none renamed.

CREATE OR REPLACE VIEW ${database}.audit_log ${on_cluster}
(
    event_id UUID COMMENT 'The event',
    account_id String COMMENT 'The tenant that owns the row: name it in every query',
    occurred_at DateTime64(6, 'UTC') COMMENT 'When it happened, by the producer''s clock',
    received_at DateTime64(6, 'UTC') COMMENT 'When Kafka appended it: the only clock that all events share',
    actor_type String COMMENT 'agent, admin, contact, integration, system or unknown',
    actor_id String COMMENT 'Who did it, by the service''s identifier; empty where unknown',
    actor_name String COMMENT 'The actor''s name; empty where unknown',
    actor_email String COMMENT 'The actor''s e-mail address; empty where unknown',
    on_behalf_of_id String COMMENT 'Whom the actor acted for; empty where for itself',
    action_type String COMMENT 'create, update, delete, login, logout, export, view, or a service''s own',
    outcome String COMMENT 'success or failure',
    module String COMMENT 'Part of the product',
    target_type String COMMENT 'Type of what it was done to',
    target_id String COMMENT 'What it was done to, by the service''s identifier',
    target_name String COMMENT 'The target''s name; empty where unknown',
    description String COMMENT 'The sentence that the log shows',
    ip String COMMENT 'The IP address; empty where there is none: isIPAddressInRange(ip, ''10.0.0.0/8'')',
    ip_trust String COMMENT 'How the address is known: peer, proxy, asserted; or empty',
    country String COMMENT 'Country of the IP; empty where unknown',
    via String COMMENT 'The way in: web, api, import, sync, automation; or empty',
    session_id String COMMENT 'The session; empty where there is none',
    request_id String COMMENT 'The request; empty where there is none',
    batch_id String COMMENT 'The run of a sync or an import; empty where there is none',
    reason String COMMENT 'Why it was done, in the actor''s words',
    metadata String COMMENT 'The service''s own keys, JSON text of an object: JSONExtractString(metadata, ''key'')',
    outcome_reason String COMMENT 'Why it failed, in the service''s words',
    claimed_at String COMMENT 'The time that the producer gave, where it was out of range; else empty',
    notes Array(String) COMMENT 'What had to be corrected or could not be decided',
    extra String COMMENT 'Fields that this version does not know, JSON text of path to value; or empty',
    on_behalf_of_type String COMMENT 'Type of whom the actor acted for; empty where for itself',
    on_behalf_of_name String COMMENT 'Name of whom the actor acted for',
    on_behalf_of_email String COMMENT 'E-mail address of whom the actor acted for',
    target_url String COMMENT 'Where the target can be looked at; empty where unknown',
    related Array(Tuple(type String, id String, name String, url String)) COMMENT 'Further targets that the event belongs to',
    changes Array(Tuple(field String, label String, old String, new String)) COMMENT 'Changed fields in order, as in audit_changes: has(changes.field, ''phone'')',
    address String COMMENT 'The address as it was given: an IP, a host name or a service',
    ip_scope String COMMENT 'What IANA''s registries say of the IP: global, private, shared, loopback, ...; or empty',
    city String COMMENT 'City of the IP; empty where unknown',
    network String COMMENT 'Who owns the IP''s network; empty where unknown',
    forwarded_for String COMMENT 'The raw chain of forwarding headers',
    user_agent String COMMENT 'The client, as it names itself',
    recorded String COMMENT 'live, or backfill for history that was imported',
    window_start Nullable(DateTime('UTC')) COMMENT 'Start of the window of a contact''s change; null for all else',
    description_key String COMMENT 'The template that made the description',
    catalogue_version UInt32 COMMENT 'The catalogue that decided module and description',
    idempotency_key String COMMENT 'The service''s name for the event, from which its id was derived; or empty',
    producer_service String COMMENT 'The service that published it; empty where unknown',
    producer_instance String COMMENT 'The process that published it',
    producer_sequence UInt64 COMMENT 'Its number among that process''s events, from 1; 0 where unknown',
    source_partition UInt32 COMMENT 'Partition in audit.changes',
    source_offset UInt64 COMMENT 'Offset in audit.changes',
    stored_at DateTime64(3, 'UTC') COMMENT 'When this row was inserted',
    window_end Nullable(DateTime('UTC')) COMMENT 'End of the window of a contact''s change; null for all else'
)
AS SELECT
    event_id,
    account_id,
    occurred_at,
    received_at,
    actor_type,
    actor_id,
    actor_name,
    actor_email,
    on_behalf_of_id,
    action_type,
    outcome,
    module,
    target_type,
    target_id,
    target_name,
    description,
    ip,
    ip_trust,
    country,
    via,
    session_id,
    request_id,
    batch_id,
    reason,
    metadata,
    outcome_reason,
    claimed_at,
    notes,
    extra,
    on_behalf_of_type,
    on_behalf_of_name,
    on_behalf_of_email,
    target_url,
    related,
    changes,
    address,
    ip_scope,
    city,
    network,
    forwarded_for,
    user_agent,
    recorded,
    window_start,
    description_key,
    catalogue_version,
    idempotency_key,
    producer_service,
    producer_instance,
    producer_sequence,
    source_partition,
    source_offset,
    stored_at,
    window_end
FROM ${database}.audit_events FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1, use_skip_indexes_if_final = 1, use_skip_indexes_if_final_exact_mode = 0
COMMENT 'The audit log, one row for each event; newest first: ORDER BY occurred_at DESC, event_id DESC';

-- The copies of an event may differ in window and times of arrival, none of which is indexed, but neither in its key
-- nor in what is indexed: so the settings are right here as well.
CREATE OR REPLACE VIEW ${database}.contact_activity ${on_cluster}
(
    event_id UUID COMMENT 'The event',
    account_id String COMMENT 'The tenant that owns the row: name it in every query',
    occurred_at DateTime64(6, 'UTC') COMMENT 'When it happened, by the producer''s clock',
    received_at DateTime64(6, 'UTC') COMMENT 'When Kafka appended it: the only clock that all events share',
    actor_type String COMMENT 'agent, admin, contact, integration, system or unknown',
    actor_id String COMMENT 'Who did it, by the service''s identifier; empty where unknown',
    actor_name String COMMENT 'The actor''s name; empty where unknown',
    actor_email String COMMENT 'The actor''s e-mail address; empty where unknown',
    on_behalf_of_id String COMMENT 'Whom the actor acted for; empty where for itself',
    action_type String COMMENT 'create, update, delete, login, logout, export, view, or a service''s own',
    outcome String COMMENT 'success or failure',
    module String COMMENT 'Part of the product',
    target_type String COMMENT 'Type of what it was done to',
    target_id String COMMENT 'What it was done to, by the service''s identifier',
    target_name String COMMENT 'The target''s name; empty where unknown',
    description String COMMENT 'The sentence that the log shows',
    ip String COMMENT 'The IP address; empty where there is none: isIPAddressInRange(ip, ''10.0.0.0/8'')',
    ip_trust String COMMENT 'How the address is known: peer, proxy, asserted; or empty',
    country String COMMENT 'Country of the IP; empty where unknown',
    via String COMMENT 'The way in: web, api, import, sync, automation; or empty',
    session_id String COMMENT 'The session; empty where there is none',
    request_id String COMMENT 'The request; empty where there is none',
    batch_id String COMMENT 'The run of a sync or an import; empty where there is none',
    reason String COMMENT 'Why it was done, in the actor''s words',
    metadata String COMMENT 'The service''s own keys, JSON text of an object: JSONExtractString(metadata, ''key'')',
    outcome_reason String COMMENT 'Why it failed, in the service''s words',
    claimed_at String COMMENT 'The time that the producer gave, where it was out of range; else empty',
    notes Array(String) COMMENT 'What had to be corrected or could not be decided',
    extra String COMMENT 'Fields that this version does not know, JSON text of path to value; or empty',
    on_behalf_of_type String COMMENT 'Type of whom the actor acted for; empty where for itself',
    on_behalf_of_name String COMMENT 'Name of whom the actor acted for',
    on_behalf_of_email String COMMENT 'E-mail address of whom the actor acted for',
    target_url String COMMENT 'Where the target can be looked at; empty where unknown',
    related Array(Tuple(type String, id String, name String, url String)) COMMENT 'Further targets that the event belongs to',
    changes Array(Tuple(field String, label String, old String, new String)) COMMENT 'Changed fields in order, as in audit_changes: has(changes.field, ''phone'')',
    address String COMMENT 'The address as it was given: an IP, a host name or a service',
    ip_scope String COMMENT 'What IANA''s registries say of the IP: global, private, shared, loopback, ...; or empty',
    city String COMMENT 'City of the IP; empty where unknown',
    network String COMMENT 'Who owns the IP''s network; empty where unknown',
    forwarded_for String COMMENT 'The raw chain of forwarding headers',
    user_agent String COMMENT 'The client, as it names itself',
    recorded String COMMENT 'live, or backfill for history that was imported',
    window_start Nullable(DateTime('UTC')) COMMENT 'Start of the window of a contact''s change; null for all else',
    description_key String COMMENT 'The template that made the description',
    catalogue_version UInt32 COMMENT 'The catalogue that decided module and description',
    idempotency_key String COMMENT 'The service''s name for the event, from which its id was derived; or empty',
    producer_service String COMMENT 'The service that published it; empty where unknown',
    producer_instance String COMMENT 'The process that published it',
    producer_sequence UInt64 COMMENT 'Its number among that process''s events, from 1; 0 where unknown',
    source_partition UInt32 COMMENT 'Partition in audit.changes',
    source_offset UInt64 COMMENT 'Offset in audit.changes',
    stored_at DateTime64(3, 'UTC') COMMENT 'When this row was inserted',
    window_end Nullable(DateTime('UTC')) COMMENT 'End of the window of a contact''s change; null for all else',
    contact_id String COMMENT 'The contact, as target_id: name it, with the account, to read one contact''s history',
    synced_at DateTime64(3, 'UTC') COMMENT 'When the change became visible here',
    contact_batch_id UUID COMMENT 'The batch that brought it: see contact_batches'
)
AS SELECT
    event_id,
    account_id,
    occurred_at,
    received_at,
    actor_type,
    actor_id,
    actor_name,
    actor_email,
    on_behalf_of_id,
    action_type,
    outcome,
    module,
    target_type,
    target_id,
    target_name,
    description,
    ip,
    ip_trust,
    country,
    via,
    session_id,
    request_id,
    batch_id,
    reason,
    metadata,
    outcome_reason,
    claimed_at,
    notes,
    extra,
    on_behalf_of_type,
    on_behalf_of_name,
    on_behalf_of_email,
    target_url,
    related,
    changes,
    address,
    ip_scope,
    city,
    network,
    forwarded_for,
    user_agent,
    recorded,
    window_start,
    description_key,
    catalogue_version,
    idempotency_key,
    producer_service,
    producer_instance,
    producer_sequence,
    source_partition,
    source_offset,
    stored_at,
    window_end,
    target_id AS contact_id,
    stored_at AS synced_at,
    contact_batch_id
FROM ${database}.contact_events FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1, use_skip_indexes_if_final = 1, use_skip_indexes_if_final_exact_mode = 0
COMMENT 'The changes of contacts, one row for each event, once its window is over; newest first: ORDER BY occurred_at DESC, event_id DESC';

-- Of the last seven days, as long as audit.contact-changes keeps them. A change is synced when its key, which is the
-- same in every copy, is in contact_events in whatever window: what happened lately is found there by that time, and
-- the few that happened before (a late resend, a device that was offline) are looked up. A day is in both.
-- Without FINAL, and the account is part of every step: a filter on it reaches both tables.

CREATE OR REPLACE VIEW ${database}.sync_status ${on_cluster}
(
    account_id String COMMENT 'The tenant',
    next_sync_at Nullable(DateTime('UTC')) COMMENT 'End of the current window: its changes become visible then',
    last_closed_at Nullable(DateTime('UTC')) COMMENT 'Up to when the activity is complete: start of the current window, or of the earliest that is not in it yet',
    pending_changes UInt64 COMMENT 'Changes that are in audit_log and not yet in contact_activity',
    overdue_changes UInt64 COMMENT 'Those of them whose window has been over for a minute'
)
AS SELECT
    account_id,
    toDateTime((intDiv(toUnixTimestamp(now()), nullIf(newest_length, 0)) + 1) * newest_length, 'UTC') AS next_sync_at,
    if(due_changes = 0, toDateTime(next_sync_at - newest_length, 'UTC'), earliest_due) AS last_closed_at,
    pending_changes,
    overdue_changes
FROM
(
    SELECT
        account_id,
        argMax(ends - starts, starts) AS newest_length,
        countIf(NOT synced) AS pending_changes,
        countIf(NOT synced AND ends <= now()) AS due_changes,
        minIf(starts, NOT synced AND ends <= now()) AS earliest_due,
        countIf(NOT synced AND ends <= now() - INTERVAL 60 SECOND) AS overdue_changes
    FROM
    (
        SELECT
            account_id,
            event_id,
            max(in_activity) AS synced,
            minIf(window_start, NOT in_activity) AS starts,
            argMinIf(window_end, window_start, NOT in_activity) AS ends
        FROM
        (
            SELECT account_id, event_id, false AS in_activity, window_start, window_end
            FROM ${database}.audit_events
            WHERE window_end > now() - INTERVAL 7 DAY
            UNION ALL
            SELECT account_id, event_id, true, NULL, NULL
            FROM ${database}.contact_events
            WHERE occurred_at >= now() - INTERVAL 8 DAY OR (account_id, target_id, occurred_at, event_id) IN
            (
                SELECT account_id, target_id, occurred_at, event_id
                FROM ${database}.audit_events
                WHERE window_end > now() - INTERVAL 7 DAY AND occurred_at < now() - INTERVAL 7 DAY
            )
        )
        GROUP BY account_id, event_id
        HAVING countIf(NOT in_activity) > 0
    )
    GROUP BY account_id
)
COMMENT 'How far the contacts'' activity is, one row for each account with live changes of contacts in the last seven days';
