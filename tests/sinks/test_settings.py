"""The sink's settings, as `audit sink run --help` lists them."""

import re

import pytest
from click.testing import CliRunner

from audit_sinks.commands.sink import sink
from audit_sinks.settings import SinkSettings


def test_help_lists_every_variable_with_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = CliRunner().invoke(sink, ["run", "--help"]).output
    listed = dict(re.findall(r"^ +(AUDIT_\w+) +(\S+) +\w", shown, re.MULTILINE))
    assert listed.keys() == {f"AUDIT_{name.upper()}" for name in SinkSettings.model_fields}
    for variable in listed:
        monkeypatch.delenv(variable, raising=False)
    needed = {"kafka": "k", "clickhouse": "clickhouse://c"}
    assert {name for name, default in listed.items() if default == "required"} == {
        f"AUDIT_{name.upper()}" for name in needed
    }
    defaults = SinkSettings.load(**needed)
    for variable, default in listed.items():
        if default != "required":
            empty = getattr(defaults, variable.removeprefix("AUDIT_").lower()) == ""
            monkeypatch.setenv(variable, "" if empty and default == "none" else default)
    assert SinkSettings.load(**needed) == defaults
