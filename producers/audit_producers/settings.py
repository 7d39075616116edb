"""How the SDK and its commands reach Kafka, and how they behave when it is away."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from audit_schemas import settings as schemas_settings
from audit_schemas.types import Key

DeliveryName = Literal["kafka", "console", "memory"]


class KafkaClient(schemas_settings.Settings):
    """Where Kafka is, and as whom we go there.

    TLS is used when `kafka_ca` or `kafka_tls` says so, SASL when there is a user name.
    """

    model_config = SettingsConfigDict(extra="forbid")

    kafka: str = Field(min_length=1, description="bootstrap servers: host:port, separated by commas")
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_tls: bool = False
    kafka_ca: Path | None = Field(default=None, description="certificates of authorities to trust, as PEM")
    kafka_certificate: Path | None = Field(default=None, description="the client's certificate, as PEM")
    kafka_key: Path | None = Field(default=None, description="the client's key, as PEM")

    def librdkafka(self) -> dict[str, str]:
        """The connection's part of librdkafka's configuration."""
        tls = self.kafka_tls or self.kafka_ca is not None or self.kafka_certificate is not None
        protocol = ("SASL_" if self.kafka_username else "") + ("SSL" if tls else "PLAINTEXT")
        options: dict[str, str | Path | None] = {
            "bootstrap.servers": self.kafka,
            "security.protocol": protocol,
            "ssl.ca.location": self.kafka_ca,
            "ssl.certificate.location": self.kafka_certificate,
            "ssl.key.location": self.kafka_key,
            "sasl.username": self.kafka_username,
        }
        if self.kafka_username:
            options["sasl.mechanism"] = self.kafka_mechanism
            options["sasl.password"] = self.kafka_password.get_secret_value() if self.kafka_password else ""
        return {name: str(value) for name, value in options.items() if value is not None}


class Settings(KafkaClient):
    """The settings of a recorder.

    audit = Recorder(Settings.from_env(service="helpdesk"))
    """

    service: Key
    """The name of the service, the same in all of its processes."""
    delivery: DeliveryName = "kafka"
    kafka: str = ""
    """Only the delivery kafka needs it."""
    queue_events: int = Field(default=100_000, ge=1)
    """How many records may wait for their acknowledgement."""
    queue_bytes: int = Field(default=256 * 1024 * 1024, ge=1024 * 1024)
    block_seconds: float = Field(default=1.0, ge=0)
    """How long a call waits for room in a full queue before it raises QueueFull; 0: not at all."""
    delivery_seconds: float = Field(default=0, ge=0)
    """How long an event is tried before it is given up; 0: as long as the process lives."""
    exit_seconds: float = Field(default=10.0, ge=0)
    """How long a process that ends waits for acknowledgements."""
    heartbeat_seconds: float = Field(default=60.0, gt=0)
    strict: bool = False
    """Raise Invalid for a bad event; otherwise it is logged, counted, and handed to `on_rejected`."""

    @classmethod
    def from_env(cls, **given: Any) -> Self:
        """Read the settings from the variables AUDIT_KAFKA, AUDIT_DELIVERY, …; what is given wins.

        Raises:
            Misconfigured: naming each variable that is missing or wrong, never a value's secret.
        """
        return cls.load(**given)
