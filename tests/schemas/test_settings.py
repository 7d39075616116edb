"""Settings are read once, say what is wrong, and keep secrets."""

import pytest

from audit_schemas.errors import Misconfigured
from audit_schemas.settings import ClickHouse, ClickHouseSettings, KafkaSettings


def test_a_clickhouse_url_names_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_CLICKHOUSE", "clickhouse://ana:p%40ss@db.example:9440/log?http_port=8443")

    server = ClickHouseSettings.load().clickhouse

    assert (server.host, server.port, server.http_port) == ("db.example", 9440, 8443)
    assert (server.user, server.password.get_secret_value(), server.database) == ("ana", "p@ss", "log")


def test_a_short_clickhouse_url_has_the_usual_defaults() -> None:
    assert ClickHouse.from_url("clickhouse://localhost") == ClickHouse(
        host="localhost", port=9000, http_port=8123
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://h",
        "clickhouse://",
        "h:9000",
        "clickhouse://u:secret@h?secure=1",
        "clickhouse://u:secret@h/a-b",
        "clickhouse://u:secret@h:99999",
        "clickhouse://u:secret@h?http_port=x",
    ],
)
def test_a_wrong_url_is_named_by_its_variable_and_never_shown(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT_CLICKHOUSE", url)

    with pytest.raises(Misconfigured, match="AUDIT_CLICKHOUSE") as refusal:
        ClickHouseSettings.load()

    assert "secret" not in refusal.value.message


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUDIT_KAFKA", raising=False)

    with pytest.raises(Misconfigured, match="AUDIT_KAFKA: Field required"):
        KafkaSettings.load()


def test_a_password_is_not_in_the_settings_text() -> None:
    assert "hush" not in repr(ClickHouse.from_url("clickhouse://u:hush@h"))
