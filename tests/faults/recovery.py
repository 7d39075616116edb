"""How long it takes after a fault until what is published then is in ClickHouse."""

import time
from collections.abc import Collection
from uuid import UUID

from clickhouse_driver.errors import Error
from sinking import wait_until

from .rig import Rig, clickhouse_client

_SPAN = 0.3
"""Seconds of traffic that are looked for: enough to reach each partition."""
_MOST = 2_000
"""How many events are looked for: a long list is refused (max_query_size, 256 KiB)."""
_PATIENCE = 300.0
"""Seconds: what is slow is seen in the report, and machines are shared."""


def recovered(rig: Rig, what: str, since: float, first: int) -> None:
    """Wait until events that were published after a fault are in ClickHouse, and note how long it took.

    Args:
        rig: what it acts on.
        what: was killed.
        since: when the fault happened, by the monotonic clock.
        first: how many events were published before.
    """
    assert rig.traffic is not None
    order = rig.traffic.order
    time.sleep(max(0.0, since + _SPAN - time.monotonic()))
    wait_until(lambda: len(order) > first, seconds=_PATIENCE, about="events published after a fault")
    wanted = order[first:][-_MOST:]
    wait_until(lambda: _stored(rig, wanted), seconds=_PATIENCE, about="what was published after a fault")
    rig.tally.recoveries.setdefault(what, []).append(round(time.monotonic() - since, 2))


def _stored(rig: Rig, ids: Collection[UUID]) -> bool:
    """Whether all of these are in the log; not while ClickHouse does not answer, or not with tables."""
    try:
        with clickhouse_client(rig.stack) as client:
            query = "SELECT uniqExact(event_id) FROM audit_events WHERE event_id IN %(ids)s"
            ((found,),) = client.execute(query, {"ids": tuple(ids)})
            return bool(found == len(ids))
    except (Error, OSError, EOFError) as error:
        print(f"ClickHouse, asked for {len(ids)} events: {str(error).splitlines()[0][:200]}")
        return False
