-- Sign-ins as sessions. Everything is computed when it is read: an event that comes late finds its place, and a plan
-- or a word that changes later changes nothing here. Cost grows with an account's events, of which the action is read,
-- and with its sign-ins.

CREATE OR REPLACE VIEW ${database}.login_sessions ${on_cluster}
(
    account_id String COMMENT 'The tenant that owns the row: name it in every query',
    session_id String COMMENT 'The session; empty where the service names none',
    kind String COMMENT 'login, or impersonation: somebody worked as another person',
    state String COMMENT 'open, ended, expired, failed, or unpaired: its beginning or its end cannot be told',
    started_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it began, or when the sign-in failed; null where the log does not have it',
    ended_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it ended; null while it is open',
    duration_seconds Nullable(UInt64) COMMENT 'From beginning to end, in whole seconds; null where one of them is missing',
    actor_type String COMMENT 'agent, admin, contact, integration, system or unknown',
    actor_id String COMMENT 'Who signed in, by the service''s identifier; empty where unknown',
    actor_name String COMMENT 'The actor''s name; empty where unknown',
    actor_email String COMMENT 'The actor''s e-mail address; empty where unknown',
    as_id String COMMENT 'Of an impersonation: as whom; else empty',
    as_name String COMMENT 'Of an impersonation: the name of whom; else empty',
    ip String COMMENT 'The IP address of the beginning; empty where there is none',
    address String COMMENT 'The address as it was given: an IP, a host name or a service',
    place String COMMENT 'Where it was, in words: Berlin, Germany; private network; a host''s name; or empty',
    country String COMMENT 'Country of the IP; empty where unknown',
    city String COMMENT 'City of the IP; empty where unknown',
    network String COMMENT 'Who owns the IP''s network; empty where unknown',
    client String COMMENT 'The client in words; empty where unknown',
    user_agent String COMMENT 'The client, as it names itself',
    via String COMMENT 'The way in: web, api, import, sync, automation; or empty',
    outcome_reason String COMMENT 'Why it failed, in the service''s words',
    first_event_id UUID COMMENT 'The event that began it, or the only one that there is',
    last_event_id UUID COMMENT 'The event that ended it; else the one that began it'
)
AS SELECT
    account_id,
    first.session_id AS session_id,
    kind,
    multiIf(
        first.phase = 'failure', 'failed',
        first.phase = 'end', 'unpaired',
        last.phase = 'end', if(last.action_type = 'session_expired', 'expired', 'ended'),
        first.session_id = '', 'unpaired',
        'open'
    ) AS state,
    if(first.phase = 'end', NULL, first.occurred_at) AS started_at,
    if(last.phase = 'end', last.occurred_at, NULL) AS ended_at,
    if(first.phase = 'begin' AND last.phase = 'end', toUInt64(dateDiff('second', first.occurred_at, last.occurred_at)), NULL) AS duration_seconds,
    first.actor_type AS actor_type,
    actor_id,
    first.actor_name AS actor_name,
    first.actor_email AS actor_email,
    as_id,
    if(as_id = '', '', first.target_name) AS as_name,
    first.ip AS ip,
    first.address AS address,
    first.place AS place,
    first.country AS country,
    first.city AS city,
    first.network AS network,
    first.client AS client,
    first.user_agent AS user_agent,
    first.via AS via,
    first.outcome_reason AS outcome_reason,
    first.event_id AS first_event_id,
    last.event_id AS last_event_id
FROM
(
    SELECT
        account_id,
        actor_id,
        kind,
        as_id,
        -- A session's id may be used again: each beginning begins a part.
        arrayJoin(arraySplit(one -> one.phase = 'begin', arraySort(one -> (one.occurred_at, one.event_id), groupArray(event)))) AS events,
        events[1] AS first,
        if(first.phase = 'failure', first, arrayFirst((one, number) -> one.phase = 'end' OR number = length(events), events, arrayEnumerate(events))) AS last
    FROM
    (
        SELECT
            account_id,
            actor_id,
            if(action_type IN ('impersonate', 'impersonation_ended'), 'impersonation', 'login') AS kind,
            if(kind = 'impersonation', target_id, '') AS as_id,
            multiIf(outcome != 'success', 'failure', action_type IN ('login', 'impersonate'), 'begin', 'end') AS phase,
            -- What names no session, and what failed, stands alone.
            if(session_id = '' OR phase = 'failure', toString(event_id), session_id) AS pair,
            CAST(
                (
                    event_id, occurred_at, phase, action_type, session_id, actor_type, actor_name, actor_email, target_name, ip, address,
                    place, country, city, network, client, user_agent, via, outcome_reason
                ),
                'Tuple(event_id UUID, occurred_at DateTime64(6, ''UTC''), phase String, action_type String, session_id String, actor_type String, actor_name String, actor_email String, target_name String, ip String, address String, place String, country String, city String, network String, client String, user_agent String, via String, outcome_reason String)'
            ) AS event
        FROM ${database}.audit_events FINAL
        WHERE action_type IN ('login', 'logout', 'session_expired', 'impersonate', 'impersonation_ended')
    )
    GROUP BY account_id, actor_id, kind, as_id, pair
)
SETTINGS do_not_merge_across_partitions_select_final = 1, use_skip_indexes_if_final = 1, use_skip_indexes_if_final_exact_mode = 0
COMMENT 'Who signed in and out, one row for each session, failed sign-ins and what has no other half among them; ORDER BY coalesce(started_at, ended_at) DESC';
