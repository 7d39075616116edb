from pathlib import Path

import pytest
from confluent_kafka import KafkaError

from audit_producers import Invalid, Recorder, Settings
from audit_producers.delivery.kafka import _refusal
from audit_producers.settings import KafkaClient
from audit_schemas.errors import Misconfigured, Unreachable

CERTIFICATE = Path("ca.pem")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUDIT_KAFKA", raising=False)


def test_settings_come_from_the_environment_and_what_is_given_wins(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AUDIT_KAFKA", "broker:9092")
    monkeypatch.setenv("AUDIT_QUEUE_EVENTS", "7")
    monkeypatch.setenv("AUDIT_BLOCK_SECONDS", "5")
    settings = Settings.from_env(service="helpdesk", block_seconds=0)

    assert (settings.kafka, settings.queue_events, settings.block_seconds) == ("broker:9092", 7, 0)


@pytest.mark.parametrize(
    ("given", "variable"),
    [
        ({"kafka": "broker:9092"}, "AUDIT_SERVICE"),
        ({"service": "helpdesk", "delivery": "pigeon"}, "AUDIT_DELIVERY"),
        ({"service": "helpdesk", "delivery": "memory", "queue_event": 5}, "AUDIT_QUEUE_EVENT"),
    ],
)
def test_what_is_missing_or_wrong_is_named(given: dict[str, object], variable: str):
    with pytest.raises(Misconfigured, match=f"{variable}: "):
        Settings.from_env(**given)


def test_the_delivery_kafka_says_that_it_needs_an_address():
    with pytest.raises(Misconfigured, match="needs AUDIT_KAFKA"):
        Recorder(Settings.from_env(service="helpdesk"))


def test_no_kafka_is_needed_for_another_delivery():
    assert Settings.from_env(service="helpdesk", delivery="console").kafka == ""


@pytest.mark.parametrize(
    ("given", "protocol"),
    [
        ({}, "PLAINTEXT"),
        ({"kafka_tls": True}, "SSL"),
        ({"kafka_ca": CERTIFICATE}, "SSL"),
        ({"kafka_username": "u", "kafka_password": "p"}, "SASL_PLAINTEXT"),
        ({"kafka_username": "u", "kafka_password": "p", "kafka_ca": CERTIFICATE}, "SASL_SSL"),
    ],
)
def test_the_protocol_follows_from_what_is_given(given: dict[str, object], protocol: str):
    assert KafkaClient.load(kafka="broker:9092", **given).librdkafka()["security.protocol"] == protocol


def test_the_password_goes_to_the_client_and_nowhere_else():
    settings = KafkaClient.load(kafka="broker:9092", kafka_username="u", kafka_password="hunter2")

    assert settings.librdkafka()["sasl.password"] == "hunter2"
    assert "hunter2" not in repr(settings)


def test_a_client_that_failed_for_good_is_no_fault_of_the_event():
    assert isinstance(_refusal(KafkaError(KafkaError._FATAL, "fenced", fatal=True)), Unreachable)
    assert isinstance(_refusal(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)), Invalid)
