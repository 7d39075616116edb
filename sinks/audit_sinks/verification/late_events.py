"""Which events came late: worth knowing, and never a fault. An outbox delivers days later without a loss."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from audit_sinks.clickhouse import query
from audit_sinks.verification.checking import EXAMPLES, IN_SCOPE, Checked, Note, Scope, Sources

LATE = timedelta(hours=1)
"""From when it happened to its receipt."""

# A resend of an old event is late, its first copy was not: the copies are looked up by the table's key.
_LATE = """
SELECT
    (SELECT count() FROM audit_events WHERE {scope} AND {accounts} AND recorded = 'live') AS checked,
    count() AS late,
    groupArraySorted({examples})((occurred_at - first_received_at, first_received_at, event_id)) AS examples
FROM
(
    SELECT event_id, occurred_at, min(received_at) AS first_received_at
    FROM audit_events
    WHERE (account_id, occurred_at, event_id) IN
    (
        SELECT account_id, occurred_at, event_id FROM audit_events
        WHERE {scope} AND {accounts} AND recorded = 'live' AND received_at > occurred_at + INTERVAL 1 HOUR
    )
    GROUP BY account_id, occurred_at, event_id
    HAVING first_received_at > occurred_at + INTERVAL 1 HOUR
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """One late event."""

    event_id: UUID
    received_at: datetime
    seconds: float
    """From when it happened."""

    def __str__(self) -> str:
        """How late it came, and when."""
        took = timedelta(seconds=round(self.seconds))
        return f"{self.event_id}: {took} after it happened, at {self.received_at:%F %T}Z"


def check_late(sources: Sources, scope: Scope) -> Checked:
    """Live events that were received more than an hour after they happened; the latest are named.

    Memory on the server grows with the late events, about a hundred bytes each.
    """
    sources.tell("looking for late events")
    accounts = "account_id IN %(accounts)s" if scope.accounts else "true"
    sql = _LATE.format(scope=IN_SCOPE, accounts=accounts, examples=EXAMPLES)
    (row,) = query(sources.client, sql, {"accounts": scope.accounts, **scope.times})
    examples = [
        Late(event_id=event_id, received_at=received_at, seconds=-float(seconds))
        for seconds, received_at, event_id in row["examples"]
    ]
    return Checked(
        checked=row["checked"], faults={}, notes={"late": Note(events=row["late"], examples=examples)}
    )
