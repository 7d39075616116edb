"""Up to when the log is complete, and what a file of it may therefore still miss."""

from datetime import datetime, timedelta

from audit_exporter.clickhouse import Connection
from audit_exporter.parameters import Query

_USUAL_DELAY = timedelta(seconds=60)
"""So far the log may be behind the present without a word: marks come every few seconds."""


def complete_through(connection: Connection) -> datetime | None:
    """Everything that Kafka received before is in the log; None while that is not known.

    Raises:
        QueryFailed: ClickHouse refused the query or broke it off.
    """
    through: datetime | None
    ((through,),) = connection.read(Query("SELECT complete_through FROM completeness")).rows
    return through


def shortfall(through: datetime | None, until: datetime | None, now: datetime) -> str | None:
    """What to tell whoever reads a timeframe; None when nothing of it can be missing but the last moments.

    Args:
        through: up to when the log is complete.
        until: the timeframe's end, or None for the present.
        now: the present.
    """
    wanted = min(until or now, now) - _USUAL_DELAY
    if through is None:
        return "it is not known up to when the log is complete: no mark of every partition is stored yet"
    if through >= wanted:
        return None
    return (
        f"the log is complete through {through:%Y-%m-%d %H:%M:%S}Z only: "
        "what was received later may be missing here; export again when `audit status` is fine"
    )
