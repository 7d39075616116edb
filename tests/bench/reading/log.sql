-- The rows numbered ${first} to ${end} of a log of ${count}: see generator.py. Innermost stands what is drawn by the
-- number of the row, n, or of its action, act, which an event may share with the one before; then what follows from it.

WITH
    ${syllables} AS syllables,
    (of, salt) -> cityHash64(of, salt, 7) AS drawn,
    (of, salt) -> drawn(of, salt) / 18446744073709551616. AS uniform,
    rank -> concat(syllables[1 + rank % 100], syllables[1 + intDiv(rank, 100)]) AS word_of_rank,
    (of, salt) -> word_of_rank(toUInt32(pow(10000, uniform(of, salt)) - 1)) AS word,
    (of, salt) -> multiIf(
        uniform(of, salt) < 0.4, concat('"', word(of, concat(salt, '1')), '"'),
        uniform(of, salt) < 0.65, toString(drawn(of, concat(salt, '2')) % 100000),
        uniform(of, salt) < 0.85, concat('"+1 555 ', leftPad(toString(drawn(of, concat(salt, '2')) % 10000000), 7, '0'), '"'),
        concat('"', word(of, concat(salt, '1')), ' ', word(of, concat(salt, '2')), ' ', word(of, concat(salt, '3')), ' ', word(of, concat(salt, '4')), '"')
    ) AS field_value
SELECT
    reinterpret(
        bitOr(
            bitShiftLeft(toUInt128(bitOr(bitShiftRight(drawn(n, 'id'), 2), 0x8000000000000000)), 64),
            toUInt128(bitOr(bitShiftLeft(toUInt64(toUnixTimestamp64Milli(at)), 16), 0x7000 + drawn(n, 'more') % 4096))
        ),
        'UUID'
    ) AS event_id,
    concat('account-', leftPad(toString(account_no), 3, '0')) AS account_id,
    at AS occurred_at,
    came_at AS received_at,
    if(module_no = 0, toStartOfInterval(came_at, INTERVAL 3 HOUR), NULL) AS window_start,
    window_start + INTERVAL 3 HOUR AS window_end,
    module,
    multiIf(
        module_no = 1, if(action_type = 'login', 'Signed in', 'Signed out'),
        action_type = 'update' AND length(changes) = 1, concat(
            'Changed ', changes[1].2, if(module_no = 0, '', concat(' of ', target_name)),
            ' from ', trim(BOTH '"' FROM changes[1].3), ' to ', trim(BOTH '"' FROM changes[1].4)
        ),
        action_type = 'update', concat('Changed ', arrayStringConcat(changes.2, ', '), ' of ', target_name),
        concat(initcap(action_type), if(endsWith(action_type, 'e'), 'd ', 'ed '), replaceAll(target_type, '_', ' '), ' ', target_name)
    ) AS description,
    if(action_type = 'update', 'changed', action_type) AS description_key,
    ${version} AS catalogue_version,
    multiIf(is_person AND actor_no = 1, 'admin', is_person, 'agent', via = 'automation', 'system', 'integration') AS actor_type,
    if(is_person, toString(1000 + actor % 9000000), via) AS actor_id,
    if(is_person, initcap(concat(first_name, ' ', last_name)), '') AS actor_name,
    if(is_person, concat(first_name, '.', last_name, '@', account_id, '.example'), '') AS actor_email,
    action_type,
    if(drawn(n, 'outcome') % 50 = 0, 'failure', 'success') AS outcome,
    if(outcome = 'failure', 'not permitted', '') AS outcome_reason,
    target_type,
    toString(100000 + if(module_no = 0, target_no * 7, target % 90000000)) AS target_id,
    target_name,
    changes,
    if(is_person, IPv4NumToString(toUInt32(seat)), '') AS ip,
    ip AS address,
    if(is_person, 'proxy', '') AS ip_trust,
    if(is_person, 'global', '') AS ip_scope,
    if(is_person, ['US', 'DE', 'IN', 'GB', 'FR', 'NL', 'ES', 'IT', 'BR', 'JP', 'AU', 'CA', 'PL', 'SE', 'CH', 'AT'][toUInt8(pow(16, uniform(seat, 'country')))], '') AS country,
    if(is_person, initcap(word_of_rank(seat % 500)), '') AS city,
    if(is_person, concat('AS', toString(1000 + seat % 300), ' ', initcap(word_of_rank(seat % 300)), ' Telecom'), '') AS network,
    multiIf(is_person, concat(city, ', ', country), via = 'sync', 'sync job', '') AS place,
    multiIf(via != 'web', '', concat('Mozilla/5.0 (', ['X11; Linux x86_64', 'Windows NT 10.0; Win64; x64', 'Macintosh; Intel Mac OS X 10_15_7', 'Linux; Android 14; K'][system], ') AppleWebKit/537.36 (KHTML, like Gecko) Chrome/', browser, '.0.0.0 Safari/537.36')) AS user_agent,
    multiIf(via != 'web', '', concat('Chrome ', browser, ' on ', ['Linux', 'Windows', 'macOS', 'Android'][system])) AS client,
    if(via = 'web', lower(hex(sipHash128(actor, intDiv(toUnixTimestamp(came_at), 28800)))), '') AS session_id,
    if(is_person, lower(hex(sipHash128(act))), '') AS request_id,
    via,
    if(via IN ('import', 'sync'), concat(via, '-', toString(drawn((account_no, toYearWeek(came_at)), 'batch') % 100000)), '') AS batch_id,
    if(drawn(n, 'reason') % 50 = 0, concat(word(n, 'reason1'), ' ', word(n, 'reason2'), ' ', word(n, 'reason3')), '') AS reason,
    if(drawn(n, 'metadata') % 10 < 6, '{}', concat('{"ticket":', toString(drawn(n, 'ticket') % 10000000), ',"source":"', word(actor, 'source'), '"}')) AS metadata,
    if(via = 'api' AND n % 2 = 0, lower(hex(sipHash128(n, 'key'))), '') AS idempotency_key,
    'live' AS recorded,
    ['contacts', 'sign-in', 'automation', 'accounts', 'helpdesk', 'channels'][1 + module_no % 6] AS producer_service,
    concat(producer_service, '-', lower(hex(toUInt32(drawn((n % 24, toYearWeek(came_at)), 'instance'))))) AS producer_instance,
    1 + intDiv(n, 24) AS producer_sequence,
    target % 12 AS source_partition,
    intDiv(n, 12) AS source_offset,
    toDateTime64(came_at + INTERVAL 1 SECOND, 0, 'UTC') AS stored_at
FROM
(
    SELECT
        *,
        ${modules}[1 + module_no] AS module,
        ${begins}[1 + module_no] AS begins,
        ${begins}[2 + module_no] - begins AS fields,
        ${types}[1 + begins + target % fields] AS target_type,
        multiIf(
            module_no = 1, multiIf(uniform(n, 'action') < 0.55, 'login', uniform(n, 'action') < 0.97, 'logout', 'session_expired'),
            uniform(n, 'action') < 0.74, 'update', uniform(n, 'action') < 0.87, 'create', uniform(n, 'action') < 0.93, 'delete',
            uniform(n, 'action') < 0.98, 'view', 'export'
        ) AS action_type,
        if(action_type IN ('update', 'create'), [1, 1, 1, 1, 1, 1, 1, 2, 2, 4][1 + drawn(n, 'changes') % 10], 0) AS changed,
        arrayMap(
            (place, field) -> (
                ${names}[field], ${labels}[field],
                if(action_type = 'create', '', field_value((n, place), 'old')), field_value((n, place), 'new')
            ),
            range(changed),
            arrayMap(place -> 1 + begins + drawn((n, place), 'field') % fields, range(changed))
        ) AS changes,
        initcap(concat(word(target, 'name1'), ' ', word(target, 'name2'))) AS target_name,
        word(actor, 'first') AS first_name,
        word(actor, 'last') AS last_name,
        multiIf(uniform(act, 'via') < 0.68, 'web', uniform(act, 'via') < 0.83, 'api', uniform(act, 'via') < 0.93, 'automation', uniform(act, 'via') < 0.98, 'import', 'sync') AS via,
        via IN ('web', 'api') AS is_person,
        drawn((actor, drawn(act, 'seat') % 3), 'address') AS seat,
        1 + actor % 4 AS system,
        toString(114 + actor % 3 + dateDiff('month', toDateTime('${begin}', 'UTC'), at)) AS browser
    FROM
    (
        SELECT
            number AS n,
            if(n % 3 = 2, n - 1, n) AS act,
            if(uniform(act, 'largest') < 0.3, 0, toUInt32(pow(1000, uniform(act, 'account')))) AS account_no,
            if(account_no = 0, 0.3, 0.7 * log(1 + 1 / account_no) / log(1000)) AS share,
            toUInt32(pow(greatest(5, least(2000, 5000 * share)), uniform(act, 'actor'))) AS actor_no,
            drawn((account_no, actor_no), 'actor') AS actor,
            if(n % 4 = 0, 0, toUInt8(1 + 17 * pow(uniform(n, 'module'), 1.7))) AS module_no,
            fromUnixTimestamp64Micro(toUnixTimestamp64Micro(toDateTime64('${begin}', 6, 'UTC')) + toInt64((n + uniform(n, 'time')) * ${step}), 'UTC') AS came_at,
            if(drawn(n, 'late') % 1000 = 0, drawn(n, 'delay') % 259200000000, drawn(n, 'delay') % 400000) AS delay,
            fromUnixTimestamp64Micro(toUnixTimestamp64Micro(came_at) - toInt64(delay), 'UTC') AS at,
            toUInt32(pow(uniform(n, 'target'), 2) * greatest(20, share * ${count} / if(module_no = 0, 40, 200))) AS target_no,
            drawn((account_no, module_no, target_no), 'target') AS target
        FROM numbers(${first}, ${rows})
        WHERE ${where}
    )
)
