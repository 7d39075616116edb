"""`audit verify`: all checks of what the pipeline promises, for the command and for `audit monitor`."""

from collections.abc import Mapping
from dataclasses import dataclass

from audit_sinks.clickhouse import connect, query
from audit_sinks.settings import Servers
from audit_sinks.verification import completeness
from audit_sinks.verification.checking import Check, Checked, Fault, Note, Scope, Sources, Tell, nothing
from audit_sinks.verification.completeness import Completeness, Verdict, verdict
from audit_sinks.verification.contact_check import check_contact_activity
from audit_sinks.verification.id_check import check_ids
from audit_sinks.verification.late_events import check_late
from audit_sinks.verification.offset_check import check_offsets
from audit_sinks.verification.producer_check import check_producers

__all__ = ["CHECKS", "Checked", "Fault", "Note", "Report", "Scope", "examine", "report"]

CHECKS: Mapping[str, Check] = {
    "producers": check_producers,
    "offsets": check_offsets,
    "ids": check_ids,
    "contacts": check_contact_activity,
    "late": check_late,
}
"""By name: all of them run, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the checks found, and what it comes to."""

    checks: Mapping[str, Checked]
    completeness: Completeness
    """As it was when the checks began."""
    verdict: Verdict


def examine(servers: Servers, scope: Scope, tell: Tell = nothing) -> Mapping[str, Checked]:
    """Run every check, one after the other; `report` says what they come to.

    Args:
        servers: Kafka and ClickHouse.
        scope: what is checked.
        tell: is told what is done at the moment.

    Raises:
        Unreachable, Misconfigured: a server cannot be asked.
    """
    return report(servers, scope, tell).checks


def report(servers: Servers, scope: Scope, tell: Tell = nothing) -> Report:
    """Run every check and put the verdict together; arguments and errors as of `examine`."""
    with connect(servers.clickhouse) as client:
        # How far the log is comes first: what was stored then the checks must find.
        known = completeness.read(client)
        (clock,) = query(client, "SELECT now64(6, 'UTC') AS now")
        sources = Sources(
            client=client,
            kafka=servers.kafka,
            now=clock["now"],
            complete_through=known.complete_through,
            tell=tell,
        )
        found = {name: check(sources, scope) for name, check in CHECKS.items()}
    return Report(checks=found, completeness=known, verdict=verdict(found, known, scope, clock["now"]))
