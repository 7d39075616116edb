"""What groups have committed, asked by consumers that bear the groups' names and join none.

Not by an admin client: its `list_consumer_group_offsets` ends the process by a null pointer where the group's
coordinator has moved or has not loaded the group yet, as after a start of a broker (librdkafka, issue 5040).
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

SECONDS = 5.0
"""How long one request may take."""
_PAUSE = 0.2
_NOT_YET = {
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
}
"""What a broker says that has just started or taken over."""


class CommittedOffsets:
    """Connects when a group is asked for the first time. Close it: it is a context for `closing`.

    Args:
        config: the settings that clients share, as `kafka.client_config` makes them.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self._consumers: dict[str, Consumer] = {}

    def of(self, group: str, partitions: Sequence[TopicPartition]) -> list[TopicPartition]:
        """The committed offset of each partition, with its note; a negative offset where there is none.

        Raises:
            KafkaException: the brokers do not answer, or refuse.
        """
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                return self._ask(group, partitions)
            except KafkaException as error:
                if error.args[0].code() not in _NOT_YET or time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE)

    def _ask(self, group: str, partitions: Sequence[TopicPartition]) -> list[TopicPartition]:
        found = self._consumer(group).committed(list(partitions), timeout=SECONDS)
        for at in found:
            if at.error is not None:
                raise KafkaException(at.error)
        return found

    def close(self) -> None:
        """Disconnect."""
        for consumer in self._consumers.values():
            consumer.close()

    def _consumer(self, group: str) -> Consumer:
        if group not in self._consumers:
            more = {"group.id": group, "enable.auto.commit": False}
            self._consumers[group] = Consumer({**self._config, **more})
        return self._consumers[group]
