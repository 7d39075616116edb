"""The check of the contacts' activity: closed windows and imports against the audit log."""

from typing import Any

from audit_sinks.clickhouse import query
from audit_sinks.verification.checking import EXAMPLES, IN_SCOPE, Checked, Fault, Scope, Sources

_FAULTS = {
    "missing": "due AND found = 0",
    "twice": "found > 1",
    "in_another_window": "logged > 0 AND found > 0 "
    "AND (found_start, found_end) != (logged_start, logged_end) "
    "AND found_received_at >= logged_received_at",
    "unlogged": "logged = 0 AND synced_at <= until",
}
"""What is wrong with an event; it may be wrong in two ways."""

# Both tables without FINAL: of the copies of an event the earliest receipt counts, merged or not.
_EVENTS = """
(
    SELECT
        account_id,
        event_id,
        max(is_due) AS due,
        countIf(in_log) AS logged,
        argMinIf(start, copy_received_at, in_log) AS logged_start,
        argMinIf(end, copy_received_at, in_log) AS logged_end,
        minIf(copy_received_at, in_log) AS logged_received_at,
        -- A place in the activity is a contact and a time: copies in one place are one row of the view.
        countIf(NOT in_log) AS copies,
        if(minIf(place, NOT in_log) = maxIf(place, NOT in_log), 1, 2) AS places,
        if(copies = 0, 0, places) AS found,
        argMinIf((start, end), (copy_received_at, start), NOT in_log) AS found_window,
        found_window.1 AS found_start,
        found_window.2 AS found_end,
        minIf(copy_received_at, NOT in_log) AS found_received_at,
        min(stored) AS synced_at,
        min(copy_received_at) AS first_received_at,
        now64(3, 'UTC') - toIntervalSecond(%(grace)s) AS until
    FROM
    (
        SELECT
            account_id, event_id, received_at AS copy_received_at, stored_at AS stored, true AS in_log,
            ifNull(toUnixTimestamp(window_start), 0) AS start, ifNull(toUnixTimestamp(window_end), 0) AS end,
            (target_id, occurred_at) AS place,
            if(recorded = 'backfill', received_at, window_end) AS due_at,
            now64(3, 'UTC') - toIntervalSecond(%(grace)s) AS latest,
            module = 'contacts' AND ifNull(due_at <= latest, false) AS is_due
        FROM audit_events
        WHERE target_type = 'contact' AND {condition}
        UNION ALL
        SELECT
            account_id, event_id, received_at, stored_at, false,
            ifNull(toUnixTimestamp(window_start), 0), ifNull(toUnixTimestamp(window_end), 0),
            (target_id, occurred_at), NULL, now64(3, 'UTC'), false
        FROM contact_events
        WHERE {condition}
    )
    GROUP BY account_id, event_id
)
"""

_IN_THE_END = "SETTINGS max_bytes_before_external_group_by = 1073741824"


def check_contact_activity(sources: Sources, scope: Scope) -> Checked:
    """Every contact event of a closed window, and every imported one, is in the activity once, in its window.

    The copies of an event may lie on both sides of the scope's ends: what looks wrong within is looked up
    without them, and belongs to the scope of its first receipt.

    Memory on the server grows with the contacts' events in the scope, about 200 bytes each, up to a
    gibibyte; the rest goes to its disk. Time grows with the rows of both tables, of which it reads the
    time of receipt, and with the contacts' events in the scope.
    """
    values = {"grace": int(scope.grace.total_seconds()), "accounts": scope.accounts, **scope.times}
    within = _EVENTS.format(condition=f"{IN_SCOPE} AND {_accounts(scope)}")
    found = _ask(sources.client, f"FROM {within}", values)
    if any(found[kind] for kind in _FAULTS) and (scope.since or scope.until):
        suspects = f"SELECT account_id, event_id FROM {within} WHERE {' OR '.join(map(_one, _FAULTS))}"  # noqa: S608 - our own words
        all_copies = _EVENTS.format(condition=f"(account_id, event_id) IN ({suspects})")
        first = IN_SCOPE.replace("received_at", "first_received_at")
        found = {
            **_ask(sources.client, f"FROM {all_copies} WHERE {first}", values),
            "checked": found["checked"],
        }
    return Checked(
        checked=found["checked"],
        faults={
            kind: Fault(
                events=found[kind],
                examples=found[f"{kind}_ids"],
                earliest=found["first_missing"] if kind == "missing" and found[kind] else None,
            )
            for kind in _FAULTS
        },
    )


def _ask(client: Any, source: str, values: dict[str, Any]) -> dict[str, Any]:
    wanted = [
        "countIf(due) AS checked",
        f"minIf(logged_received_at, {_FAULTS['missing']}) AS first_missing",
        *map(_counted, _FAULTS),
    ]
    (found,) = query(client, f"SELECT {', '.join(wanted)} {source} {_IN_THE_END}", values)
    return found


def _one(kind: str) -> str:
    return f"({_FAULTS[kind]})"


def _counted(kind: str) -> str:
    condition = _FAULTS[kind]
    return (
        f"countIf({condition}) AS {kind}, groupArraySortedIf({EXAMPLES})(event_id, {condition}) AS {kind}_ids"
    )


def _accounts(scope: Scope) -> str:
    """Values are the query's parameters; what the scope leaves open has no condition."""
    return "account_id IN %(accounts)s" if scope.accounts else "true"
