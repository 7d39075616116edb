"""The check of the events' ids: an id never comes with another time, or its event would be there twice."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit_sinks.clickhouse import query
from audit_sinks.verification.checking import EXAMPLES, IN_SCOPE, Checked, Fault, Scope, Sources

_COUNT = "SELECT count() AS checked FROM audit_events WHERE {scope}"

# Within the scope ids are compared with each other. Only those that may have been received before it too are
# looked up in the whole table: a UUIDv7 that was minted in the scope cannot.
_TWICE = """
SELECT
    account_id, event_id,
    arraySort(groupUniqArray(3)(occurred_at)) AS times,
    min(received_at) AS first_received_at,
    count() OVER () AS events
FROM audit_events
WHERE {accounts} AND (({scope}){older})
GROUP BY account_id, event_id
HAVING min(occurred_at) != max(occurred_at) AND countIf({scope}) > 0
ORDER BY first_received_at, event_id
LIMIT {examples}
SETTINGS max_bytes_before_external_group_by = 1073741824
"""

_OLDER = """
    OR event_id IN
    (
        -- The time in an id of another kind is 1970.
        SELECT event_id FROM audit_events WHERE {scope} AND {accounts}
        AND UUIDv7ToDateTime(event_id) < toDateTime64(%(since)s, 6, 'UTC') - INTERVAL 1 HOUR
    )
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoTimes:
    """An id that came with more than one time."""

    event_id: UUID
    account: str
    occurred_at: list[datetime]
    """The first three of its times."""

    def __str__(self) -> str:
        """Whose id, and the times."""
        times = " and ".join(f"{moment:%F %T.%f}Z" for moment in self.occurred_at)
        return f"{self.event_id} of account {self.account}: {times}"


def check_ids(sources: Sources, scope: Scope) -> Checked:
    """The same id in one account with two times: an alarm, since both rows stay.

    Time grows with the rows of audit_events, of which the time of receipt is read; where events in the
    scope have ids that are older than it (history, late ones, ids made of a key), their ids as well.
    Memory on the server grows with the events in the scope, up to a gibibyte and then on its disk, and
    with those older ids, some fifty bytes each.
    """
    sources.tell("looking for ids with two times")
    accounts = "account_id IN %(accounts)s" if scope.accounts else "true"
    given = {"scope": IN_SCOPE, "accounts": accounts}
    older = _OLDER.format(**given) if scope.since or scope.until else ""
    values = {"accounts": scope.accounts, **scope.times}
    (counted,) = query(sources.client, _COUNT.format(scope=f"{IN_SCOPE} AND {accounts}"), values)
    rows = query(sources.client, _TWICE.format(**given, older=older, examples=EXAMPLES), values)
    examples = [
        TwoTimes(event_id=row["event_id"], account=row["account_id"], occurred_at=row["times"])
        for row in rows
    ]
    events = rows[0]["events"] if rows else 0
    return Checked(
        checked=counted["checked"], faults={"with_two_times": Fault(events=events, examples=examples)}
    )
