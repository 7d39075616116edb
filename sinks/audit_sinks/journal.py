"""What the sink writes into its committed offsets, so that a crash repeats an insert exactly.

Before a block is inserted its first offset is committed, with the last one as metadata. Whoever gets
the partition next reads the same records again and inserts the same block with the same token.
"""

from dataclasses import dataclass
from typing import Literal

import msgspec


class Entry(msgspec.Struct, frozen=True):
    """The metadata of a committed offset: the records from there to `end` are perhaps inserted."""

    topic: str
    """The topic's id: a topic of the same name that was made anew, or a mirror, has another."""
    end: int
    """The last offset of the block, included."""
    v: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class Resume:
    """Where to go on in a partition.

    Attributes:
        offset: the first record to read.
        replay_until: the last offset of a block that must be inserted again as it was, or nothing.
        warning: what was found and not used, for the log; empty where all is well.
    """

    offset: int
    replay_until: int | None = None
    warning: str = ""


def write(topic_id: str, end: int) -> str:
    """The metadata for a block that is about to be inserted."""
    return msgspec.json.encode(Entry(topic=topic_id, end=end)).decode()


def read(offset: int, metadata: str, topic_id: str) -> Resume:
    """Decide how to go on from a committed offset.

    An entry that is not ours to follow costs no event: reading goes on from the same offset, in
    blocks cut anew, and what is inserted twice is the same row of the table.
    """
    if not metadata:
        return Resume(offset)
    try:
        entry = msgspec.json.decode(metadata, type=Entry)
    except msgspec.DecodeError as error:
        return Resume(offset, warning=f"the journal {metadata!r} cannot be read: {error}")
    if entry.topic != topic_id:
        return Resume(offset, warning=f"the journal is of the topic {entry.topic}, this one is {topic_id}")
    if entry.end < offset:
        return Resume(offset, warning=f"the journal ends at {entry.end}, before its offset {offset}")
    return Resume(offset, replay_until=entry.end)


def token(topic_id: str, partition: int, first: int, last: int, table: str) -> str:
    """The deduplication token of a block: ClickHouse inserts each token's rows once."""
    return f"{topic_id}:{partition}:{first}-{last}:{table}"
