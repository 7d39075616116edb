"""What the runbook tells people to type exists, and its table of metrics is the catalogue."""

import re
import shlex
from pathlib import Path

import click
import pytest
from metric_catalogue import CATALOGUE

from audit_schemas.cli import audit

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "deploy" / "RUNBOOK.md").read_text()
FENCED = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
INLINE = re.findall(r"`(audit [a-z][^`]*)`", TEXT)
PARTS = ("producers", "stream_processors", "sinks", "exporter", "deploy")


def parsed(line: str) -> click.Command:
    """Let click read a command without running it."""
    program, *words = shlex.split(line)
    assert program == "audit"
    context = click.Context(audit, info_name="audit")
    command: click.Command = audit
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        context, command = click.Context(found, parent=context, info_name=name), found
    command.parse_args(context, words)
    return command


@pytest.mark.parametrize("line", sorted({*FENCED, *INLINE}))
def test_a_command_of_the_runbook_exists_with_its_options(line: str) -> None:
    if line not in FENCED and line in {"audit trace", "audit publish"}:
        line += " 01a2b3c4-0000-7000-8000-000000000000" if line == "audit trace" else " -"
    parsed(line)


@pytest.mark.parametrize(
    "line", ["audit nothing", "audit status --nothing", "audit dead-letters list --stage x"]
)
def test_a_command_that_does_not_exist_would_be_found(line: str) -> None:
    with pytest.raises(click.UsageError):
        parsed(line)


def test_every_alerts_section_says_the_same_five_things() -> None:
    for section in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]:
        if section.startswith("Audit"):
            said = re.findall(r"^\*(Means|At risk|Mend|Over)\b|^(```sh)$", section, re.MULTILINE)
            assert [word or fence for word, fence in said] == ["Means", "At risk", "```sh", "Mend", "Over"], (
                section
            )


def test_the_links_within_the_runbook_lead_somewhere() -> None:
    anchors = {heading.lower().replace(" ", "-") for heading in re.findall(r"^## (.+)$", TEXT, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= anchors


def test_the_table_of_metrics_is_the_catalogue() -> None:
    assert [line for line in TEXT.splitlines() if line.startswith("| `audit_")] == [
        entry.row for entry in CATALOGUE
    ]


def test_every_metric_of_the_catalogue_is_set_by_some_part() -> None:
    code = "".join(file.read_text() for part in PARTS for file in (ROOT / part).rglob("*.py"))
    unused = [entry.constant for entry in CATALOGUE if not re.search(rf"\bmetrics\.{entry.constant}\b", code)]
    assert unused == []
