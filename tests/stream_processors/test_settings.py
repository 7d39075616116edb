"""The processor's settings from the environment."""

from datetime import timedelta

import pytest

from audit_schemas.errors import Misconfigured
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
