"""The command `audit`: what is installed contributes, and errors are lines, not tracebacks."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from command import AUDIT

from audit_schemas import cli
from audit_schemas.errors import Misconfigured, Refused


def test_every_part_contributes_its_commands() -> None:
    shown = subprocess.run([AUDIT, "--help"], capture_output=True, text=True, check=True).stdout

    for name in (
        "account",
        "actor",
        "dead-letters",
        "demo",
        "export",
        "log",
        "migrate",
        "processor",
        "publish",
        "schema",
        "sink",
        "sql",
        "stack",
        "status",
        "topics",
        "trace",
    ):
        assert f"  {name} " in shown


def test_an_unknown_command_is_a_usage_error() -> None:
    result = subprocess.run([AUDIT, "nothing"], capture_output=True, text=True, check=False)

    assert result.returncode == 2
    assert "No such command" in result.stderr


@pytest.mark.parametrize(
    ("error", "code"), [(Refused("not yours"), 4), (Misconfigured("odd", remedy="mend it"), 1)]
)
def test_an_error_ends_as_its_message_its_remedy_and_its_exit_code(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.setattr(cli, "audit", failing)
    monkeypatch.setattr(sys, "argv", ["audit"])

    with pytest.raises(SystemExit) as end:
        cli.main()

    said = capsys.readouterr().err
    assert end.value.code == code
    assert said.startswith(f"error: {error}")
    assert "Traceback" not in said


def test_a_reader_that_goes_away_is_no_error_to_show() -> None:
    result = subprocess.run(
        f"{AUDIT} schema print enriched_event | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.stdout == "{\n"
    assert result.stderr == ""


def test_checking_a_file_names_each_bad_line(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(
        '{"account": "a", "action": "view", "target": {"type": "t", "id": "1"}}\n\n{"account": "a"}\n'
    )

    result = subprocess.run([AUDIT, "schema", "check", file], capture_output=True, text=True, check=False)

    assert result.returncode == 1
    assert "line 3: action: Field required; target: Field required" in result.stdout
    assert "1 good, 1 bad" in result.stdout
