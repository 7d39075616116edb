"""What Kafka's errors mean for the sink, and waiting until Kafka can do it."""

import time
from collections.abc import Callable

from confluent_kafka import KafkaError

import audit_schemas.kafka
from audit_schemas.topics import SINK_GROUP
from audit_sinks.errors import Fenced, Misconfigured, Unreachable

_PAUSE_SECONDS = 0.5
"""Between two attempts."""

_FENCED = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError._STATE,  # noqa: SLF001 - librdkafka's own codes are named so
        KafkaError._ASSIGNMENT_LOST,  # noqa: SLF001
    }
)


def explained(error: KafkaError, *, topic: str = "") -> Fenced | Unreachable | Misconfigured:
    """What an error of Kafka's means for the sink."""
    where = f"{topic}: " if topic else ""
    code = error.code()
    # Where a consumer is handed the error as a message, only its code tells.
    if error.fatal() or code == KafkaError._FATAL:  # noqa: SLF001 - librdkafka's own codes are named so
        return Misconfigured(
            f"Kafka has shut this worker out: {error.str()}",
            remedy="give each worker its own AUDIT_SINK_INSTANCE, or none",
        )
    if code in _FENCED:
        return Fenced(f"{where}{error.str()}")
    if code == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001
        return Misconfigured(
            f"{where}Kafka does not have the next record to store ({error.str()})",
            remedy="retention has taken it, or the log is shorter than it was: `audit verify` tells what is "
            f"missing; then set the offsets of the group {SINK_GROUP} by hand "
            f"(kafka-consumer-groups.sh --reset-offsets)",
        )
    return audit_schemas.kafka.explained(error, topic=topic)


def patiently(
    work: Callable[[], None], *, stopping: Callable[[], bool], report: Callable[[str | None], None]
) -> bool:
    """Repeat what Kafka could not do yet, until it could or we stop.

    Returns:
        Whether it was done.

    Raises:
        Fenced, Misconfigured: waiting does not help.
    """
    while not stopping():
        try:
            work()
        except Fenced:
            raise
        except Unreachable as error:
            report(error.message)
            time.sleep(_PAUSE_SECONDS)
        else:
            report(None)
            return True
    return False
