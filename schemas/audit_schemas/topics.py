"""The Kafka topics as data: one definition of each name, size and retention."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

KIB = 1024
MIB = 1024 * KIB

SDK_LIMIT = 512 * KIB
"""The largest event that the SDK sends, in bytes: the foot of the ladder below."""


_ENVELOPE = 64 * KIB
"""What Kafka puts around a record, and what data can grow by when it is compressed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic. Sizes form a ladder: what fits into one stage fits, grown, into the next."""

    name: str
    about: str
    retention: timedelta | None
    """None: compacted, the newest record of each key stays."""
    limit: int
    """The largest record batch in bytes."""

    @property
    def room(self) -> int:
        """The largest record in bytes, with its key and its headers."""
        return self.limit - _ENVELOPE

    def config(self) -> dict[str, str]:
        """The topic's settings as Kafka names them.

        LogAppendTime: a producer's clock must neither delete history by retention nor be refused.
        """
        kept = (
            {"cleanup.policy": "compact"}
            if self.retention is None
            else {
                "cleanup.policy": "delete",
                "retention.ms": str(int(self.retention.total_seconds() * 1000)),
                "retention.bytes": "-1",
            }
        )
        return {
            "message.timestamp.type": "LogAppendTime",
            "max.message.bytes": str(self.limit),
            "unclean.leader.election.enable": "false",
            **kept,
        }


CHANGES = Topic(
    name="audit.changes.v1",
    about="events as the services publish them",
    retention=timedelta(days=14),
    limit=1 * MIB,
)
EVENTS = Topic(
    name="audit.events.v1", about="enriched events, for the sink", retention=timedelta(days=14), limit=4 * MIB
)
CONTACT_CHANGES = Topic(
    name="audit.contact-changes.v1",
    about="enriched events of contacts, for the windows",
    retention=timedelta(days=7),
    limit=4 * MIB,
)
CONTACT_BATCHES = Topic(
    name="audit.contact-batches.v1",
    about="the changes of one contact in one window, once it is over",
    retention=timedelta(days=14),
    limit=20 * MIB,
)
DEAD_LETTERS = Topic(
    name="audit.dead-letters.v1",
    about="what was refused, with its bytes and the reason",
    retention=timedelta(days=30),
    limit=8 * MIB,
)
ACCOUNTS = Topic(name="audit.accounts.v1", about="the directory's accounts", retention=None, limit=1 * MIB)
ACTORS = Topic(name="audit.actors.v1", about="the directory's actors", retention=None, limit=1 * MIB)
PRODUCERS = Topic(
    name="audit.producers.v1",
    about="start, heartbeat and stop of publishing processes",
    retention=timedelta(days=30),
    limit=1 * MIB,
)

TOPICS: Mapping[str, Topic] = {
    topic.name: topic
    for topic in (
        CHANGES,
        EVENTS,
        CONTACT_CHANGES,
        CONTACT_BATCHES,
        DEAD_LETTERS,
        ACCOUNTS,
        ACTORS,
        PRODUCERS,
    )
}

SAME_PARTITIONS = (CHANGES, EVENTS, CONTACT_CHANGES)
"""A record keeps its partition from one to the next, so their counts are equal, always."""

PROCESSOR_GROUP = "audit-processor"
"""The consumer group of the enriching workers."""
WINDOWS_GROUP = "audit-windows"
"""The consumer group of the workers that close windows; it commits when a window is batched."""
SINK_GROUP = "audit-sink"
"""The consumer group of the sinks."""
