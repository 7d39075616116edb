"""What confluent-kafka's clients share, and what Kafka's errors mean: come again, or call an operator."""

from typing import Any

from confluent_kafka import KafkaError

from audit_schemas.errors import Misconfigured, Unreachable

_UNKNOWN_TOPIC = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - librdkafka's own codes are named so
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
    }
)
_REFUSED = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError._AUTHENTICATION,  # noqa: SLF001
        KafkaError.OFFSET_METADATA_TOO_LARGE,
    }
)


def client_config(servers: str, **more: Any) -> dict[str, Any]:
    """The settings that clients share, as librdkafka names them.

    What librdkafka logs as it reconnects reaches us as errors; we say it once.
    """
    return {"bootstrap.servers": servers, "log_level": 2, "reconnect.backoff.max.ms": 2_000, **more}


def explained(error: KafkaError, *, topic: str = "") -> Unreachable | Misconfigured:
    """What an error of Kafka's means for whoever publishes or asks."""
    where = f"{topic}: " if topic else ""
    if error.code() in _UNKNOWN_TOPIC:
        return Misconfigured(f"{where}Kafka does not know this topic", remedy="run `audit topics apply`")
    if error.code() in _REFUSED:
        return Misconfigured(f"{where}Kafka refuses: {error.str()}")
    return Unreachable(f"{where}Kafka does not answer: {error.str()}", remedy="check AUDIT_KAFKA")
