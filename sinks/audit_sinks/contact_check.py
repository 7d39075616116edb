"""The check of the contacts' activity: closed windows and imports against the audit log."""

from typing import Any

from audit_sinks.clickhouse import query
from audit_sinks.verify import EXAMPLES, Checked, Fault, Scope

_FAULTS = {
    "missing": "due AND found = 0",
    "twice": "found > 1",
    # The log may show a later copy, worded by a newer catalogue: the activity keeps the earliest receipt.
    "in_another_window": "logged > 0 AND found > 0 "
    "AND (found_start, found_end) != (logged_start, logged_end) "
    "AND found_received_at >= logged_received_at",
    "unlogged": "logged = 0 AND synced_at <= until",
}
"""What is wrong with an event; it may be wrong in two ways."""

_EVENTS = """
WITH now64(3, 'UTC') - toIntervalSecond(%(grace)s) AS until
SELECT {wanted}
FROM
(
    SELECT
        account_id,
        event_id,
        max(is_due) AS due,
        countIf(in_log) AS logged,
        minIf(start, in_log) AS logged_start,
        minIf(end, in_log) AS logged_end,
        minIf(received_at, in_log) AS logged_received_at,
        countIf(NOT in_log) AS found,
        minIf(start, NOT in_log) AS found_start,
        minIf(end, NOT in_log) AS found_end,
        minIf(received_at, NOT in_log) AS found_received_at,
        min(stored_at) AS synced_at
    FROM
    (
        SELECT
            account_id, event_id, received_at, stored_at, true AS in_log,
            ifNull(toUnixTimestamp(window_start), 0) AS start, ifNull(toUnixTimestamp(window_end), 0) AS end,
            if(recorded = 'backfill', received_at, window_end) AS due_at,
            module = 'contacts' AND ifNull(due_at <= until, false) AS is_due
        FROM audit_log
        WHERE target_type = 'contact' AND {scope}
        UNION ALL
        SELECT
            account_id, event_id, received_at, stored_at, false,
            ifNull(toUnixTimestamp(window_start), 0), ifNull(toUnixTimestamp(window_end), 0),
            NULL, false
        FROM contact_activity
        WHERE {scope}
    )
    GROUP BY account_id, event_id
)
SETTINGS max_bytes_before_external_group_by = 1073741824
"""


def check_contact_activity(client: Any, scope: Scope) -> Checked:
    """Every contact event of a closed window, and every imported one, is in the activity once, in its window.

    Memory on the server grows with the contacts' events in the scope, about 200 bytes each, up to a
    gibibyte; the rest goes to its disk.
    """
    wanted = ", ".join(["countIf(due) AS checked", *map(_counted, _FAULTS)])
    sql = _EVENTS.format(wanted=wanted, scope=_condition(scope))
    values = {"grace": int(scope.grace.total_seconds()), "accounts": scope.accounts, "since": scope.since}
    (found,) = query(client, sql, values)
    return Checked(
        checked=found["checked"],
        faults={kind: Fault(events=found[kind], examples=found[f"{kind}_ids"]) for kind in _FAULTS},
    )


def _counted(kind: str) -> str:
    condition = _FAULTS[kind]
    return (
        f"countIf({condition}) AS {kind}, groupArraySortedIf({EXAMPLES})(event_id, {condition}) AS {kind}_ids"
    )


def _condition(scope: Scope) -> str:
    """Values are the query's parameters; what the scope leaves open has no condition."""
    return " AND ".join(
        [
            "account_id IN %(accounts)s" if scope.accounts else "true",
            "occurred_at >= %(since)s" if scope.since else "true",
        ]
    )
