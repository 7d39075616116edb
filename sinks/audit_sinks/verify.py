"""`audit verify`: all checks of what the pipeline promises, for the command and for `audit monitor`."""

from collections.abc import Callable, Mapping

from audit_sinks.checking import Check, Checked, Fault, Note, Scope, Sources, nothing
from audit_sinks.clickhouse import connect, query
from audit_sinks.contact_check import check_contact_activity
from audit_sinks.settings import Servers

__all__ = ["CHECKS", "Checked", "Fault", "Note", "Scope", "examine"]

CHECKS: Mapping[str, Check] = {
    "contacts": check_contact_activity,
}
"""By name: all of them run, in this order."""


def examine(servers: Servers, scope: Scope, tell: Callable[[str], None] = nothing) -> Mapping[str, Checked]:
    """Run every check, one after the other.

    Args:
        servers: Kafka and ClickHouse.
        scope: what is checked.
        tell: is told what is done at the moment.

    Raises:
        Unreachable, Misconfigured: a server cannot be asked.
    """
    with connect(servers.clickhouse) as client:
        (found,) = query(client, "SELECT now64(6, 'UTC') AS now")
        sources = Sources(client=client, kafka=servers.kafka, now=found["now"], tell=tell)
        return {name: check(sources, scope) for name, check in CHECKS.items()}
