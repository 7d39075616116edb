"""The processor's settings from the environment."""

import re
from datetime import timedelta

import pytest
from click.testing import CliRunner

from audit_schemas.errors import Misconfigured
from audit_stream_processors.commands import processor
from audit_stream_processors.settings import ProcessorSettings


def test_only_the_address_of_kafka_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_KAFKA", "127.0.0.1:9092")
    settings = ProcessorSettings.load()
    assert (timedelta(hours=3), 0) == (settings.window, settings.http_port)


@pytest.mark.parametrize(
    ("text", "length"),
    [("10s", timedelta(seconds=10)), ("90m", timedelta(minutes=90)), ("1d", timedelta(days=1))],
)
def test_a_window_is_a_number_and_a_unit(text: str, length: timedelta) -> None:
    assert length == ProcessorSettings.load(kafka="k", window=text).window


@pytest.mark.parametrize("text", ["", "3", "h", "0s", "-1h", "1.5h", "3 hours"])
def test_any_other_window_is_refused_by_its_variables_name(text: str) -> None:
    with pytest.raises(Misconfigured, match="AUDIT_WINDOW"):
        ProcessorSettings.load(kafka="k", window=text)


def test_help_lists_every_variable_with_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = CliRunner().invoke(processor, ["run", "--help"]).output
    listed = dict(re.findall(r"^ +(AUDIT_\w+) +(\S+) +\w", shown, re.MULTILINE))
    assert listed.keys() == {f"AUDIT_{name.upper()}" for name in ProcessorSettings.model_fields}
    for variable in listed:
        monkeypatch.delenv(variable, raising=False)
    needed = {"kafka": "k"}
    assert {name for name, default in listed.items() if default == "required"} == {
        f"AUDIT_{name.upper()}" for name in needed
    }
    defaults = ProcessorSettings.load(**needed)
    for variable, default in listed.items():
        if default != "required":
            monkeypatch.setenv(variable, default)
    assert ProcessorSettings.load(**needed) == defaults
