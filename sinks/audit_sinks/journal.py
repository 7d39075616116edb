"""What the sink writes beside its committed offsets, so that a crash repeats an insert exactly.

Before a block is inserted its first offset is committed, with the last one in the note. Whoever gets
the partition next reads the same records again and inserts the same block with the same token.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from audit_schemas.offset_note import OffsetNote, check_topic, read_note
from audit_schemas.topics import SINK_GROUP
from audit_sinks.batches import Batch, Place

_VERSION = 1


class Position(NamedTuple):
    """What is committed for a partition."""

    offset: int
    end: int | None = None
    """The last offset of the block whose insert begins; nothing where all before `offset` is done."""
    refused: int = 0
    """How many records before `offset` were refused in a row."""

    def note(self, topic_id: str) -> str:
        """The text beside the offset."""
        return OffsetNote(topic=topic_id, end=self.end, refused=self.refused).text()


@dataclass(frozen=True, slots=True)
class Resume:
    """Where to go on in a partition.

    Attributes:
        offset: the first record to read.
        replay_until: the last offset of a block that must be inserted again as it was, or nothing.
        refused: how many records before were refused in a row.
        warning: what was found and not used, for the log; empty where all is well.
    """

    offset: int
    replay_until: int | None = None
    refused: int = 0
    warning: str = ""


def positions(done: Mapping[Place, Batch], blocks: Mapping[Place, Batch]) -> dict[Place, Position]:
    """What one commit says: that blocks are done, and that others are about to be inserted.

    Args:
        done: inserted blocks.
        blocks: those that come next; of a partition that has both, these say it all.
    """
    behind = {place: Position(batch.last + 1, refused=batch.refused_after) for place, batch in done.items()}
    ahead = {
        place: Position(batch.first, end=batch.last, refused=batch.refused_before)
        for place, batch in blocks.items()
    }
    return behind | ahead


def read(place: Place, offset: int, text: str, topic_id: str) -> Resume:
    """Decide how to go on from a committed offset.

    A note that is not ours to follow costs no event: reading goes on from the same offset, in
    blocks cut anew, and what is inserted twice is the same row of the table.

    Raises:
        Misconfigured: the offset is of another topic of the same name.
    """
    try:
        note = read_note(text)
    except ValueError as error:
        return Resume(offset, warning=str(error))
    check_topic(note, topic=place.topic, partition=place.partition, topic_id=topic_id, group=SINK_GROUP)
    if note is None:
        return Resume(offset)
    if note.v != _VERSION:
        return Resume(offset, warning=f"the note {text!r} is of another version")
    if note.end is not None and note.end < offset:
        return Resume(offset, warning=f"the journal ends at {note.end}, before its offset {offset}")
    return Resume(offset, replay_until=note.end, refused=note.refused)


def token(topic_id: str, partition: int, offsets: Sequence[int], table: str) -> str:
    """The deduplication token of a block: ClickHouse inserts each token's rows once.

    It stands for exactly these records. Another version of the sink, or a larger limit, may let records
    pass that were refused before: under the same token ClickHouse would drop them all without a word.

    Args:
        topic_id: the topic's.
        partition: where the records lie.
        offsets: the records', in order; not empty.
        table: where they go.
    """
    first, last = offsets[0], offsets[-1]
    gaps = "" if len(offsets) == last - first + 1 else f":{_digest(offsets)}"
    return f"{topic_id}:{partition}:{first}-{last}:{table}{gaps}"


def _digest(offsets: Sequence[int]) -> str:
    return blake2b(array("Q", offsets).tobytes(), digest_size=12).hexdigest()
