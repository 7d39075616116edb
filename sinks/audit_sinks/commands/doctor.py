"""`audit doctor`: would a setting of Kafka's or ClickHouse's break a guarantee, and what to do about it?"""

from collections.abc import Sequence

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from audit_sinks.doctor import Facts, Finding, Level, examine, read, shortest
from audit_sinks.errors import AuditError
from audit_sinks.settings import Servers

_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.BROKEN: "bold red"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
def doctor(as_json: bool) -> None:
    """Check Kafka and ClickHouse for settings that would break a guarantee; exit code 1 if one does.

    It reads only. A warning leaves the exit code at 0.

    \b
    Example: audit doctor --json | jq -r '.findings[] | select(.level == "broken") | .remedy'
    """
    settings = Servers.load()
    facts = read(settings.kafka, settings.clickhouse)
    findings = examine(facts)
    broken = [finding.check for finding in findings if finding.level is Level.BROKEN]
    if as_json:
        click.echo(_document(facts, findings))
    else:
        _print(findings)
    if broken:
        raise AuditError(f"broken: {', '.join(broken)}", remedy="do what the findings say, then ask again")


def _document(facts: Facts, findings: Sequence[Finding]) -> bytes:
    limit = shortest(facts.kafka, facts.now)
    return msgspec.json.encode(
        {
            "broken": any(finding.level is Level.BROKEN for finding in findings),
            "safe_for_seconds": int(limit.left.total_seconds()) if limit else None,
            "safe_for": limit.what if limit else None,
            "findings": findings,
        }
    )


def _print(findings: Sequence[Finding]) -> None:
    table = Table("Check", "", "Finding", box=None)
    for finding in findings:
        remedy = f"\n[dim]→ {escape(finding.remedy)}[/]" if finding.remedy else ""
        level = f"[{_STYLES[finding.level]}]{finding.level}[/]"
        table.add_row(finding.check, level, escape(finding.text) + remedy)
    Console().print(table)
