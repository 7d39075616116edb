"""The confluent-kafka clients of this part, and how their errors become ours."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from audit_schemas.errors import Misconfigured, Unreachable

_AWAY = {
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
    KafkaError._TIMED_OUT,  # noqa: SLF001
    KafkaError._RESOLVE,  # noqa: SLF001
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.NOT_CONTROLLER,
    KafkaError.LEADER_NOT_AVAILABLE,
}
"""The codes that say: not now. librdkafka's own ones begin with an underscore; they are public."""


@contextmanager
def reachable() -> Iterator[None]:
    """Turn confluent-kafka's errors into ours.

    Raises:
        Unreachable: Kafka does not answer.
        Misconfigured: it answers, and refuses.
    """
    try:
        yield
    except KafkaException as error:
        reason = error.args[0]
        if reason.code() in _AWAY:
            raise Unreachable(
                f"Kafka does not answer: {reason.str()}",
                remedy="is it running, and is AUDIT_KAFKA its address?",
            ) from None
        raise Misconfigured(f"Kafka refuses: {reason.str()}") from None


def client_config(servers: str, **more: Any) -> dict[str, Any]:
    """The settings that all clients share; their log goes to Python's, and so into the worker's."""
    return {"bootstrap.servers": servers, "logger": logging.getLogger("librdkafka"), **more}


def admin_client(servers: str) -> AdminClient:
    """A client for topics and their settings."""
    return AdminClient(client_config(servers))
