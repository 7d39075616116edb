"""What a worker writes beside the offset that it commits: what a restart must know, and cannot read again.

Kafka keeps a text with each committed offset, fenced by the group's generation like the offset itself.
"""

import msgspec

from audit_schemas.errors import Misconfigured


class OffsetNote(msgspec.Struct, frozen=True, omit_defaults=True):
    """The note of one partition."""

    topic: str
    """The topic's id: a topic that was made anew under the same name, or a mirror, has another."""
    end: int | None = None
    """The last offset of a block that is perhaps inserted; nothing where none is in hand."""
    refused: int = 0
    """How many records before the offset were refused without a good one among them."""
    v: int = 1

    def text(self) -> str:
        """As Kafka keeps it."""
        return msgspec.json.encode(self).decode()


def read_note(text: str) -> OffsetNote | None:
    """Read a note; nothing where there is none: an offset that an operator or an older version has set.

    Raises:
        ValueError: it is no note.
    """
    # librdkafka commits the zero byte with which C ends a text; it does not hand it back, others do.
    text = text.removesuffix("\0")
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=OffsetNote)
    except msgspec.DecodeError as error:
        raise ValueError(f"the note {text!r} cannot be read: {error}") from None


def check_topic(note: OffsetNote | None, *, topic: str, partition: int, topic_id: str, group: str) -> None:
    """Refuse an offset that belongs to another topic of the same name.

    Going on from it would pass over the first records of this one, and nobody would know.

    Raises:
        Misconfigured: with both ways to go on.
    """
    if note is not None and note.topic != topic_id:
        reset = f"kafka-consumer-groups.sh --reset-offsets --group {group} --topic {topic} --execute"
        raise Misconfigured(
            f"{topic}[{partition}] was made anew, or is a mirror: the committed offset is of the topic "
            f"{note.topic}, this one is {topic_id}",
            remedy=f"stop the workers, then begin at its first record, which doubles nothing: {reset} "
            "--to-earliest; or keep the offset of a mirror: --to-current",
        )
