"""What the transport writes beside the offsets that it commits, and reads when it begins again.

The topic's id, so that an offset of a topic that was made anew is not taken for one of this; and how many
records in a row were refused up to there, so that a restart goes on counting.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from audit_schemas.offset_note import OffsetNote, check_topic, read_note

_log = logging.getLogger(__name__)


class Notes:
    """Of all partitions of one worker. `begin` is called by the thread that fetches, all else by the loop."""

    def __init__(self, group: str = "", topic_ids: Mapping[str, str] | None = None) -> None:
        """Know the topics.

        Args:
            group: the consumer group.
            topic_ids: by topic; one that is not there gets no notes.
        """
        self._group = group
        self._topic_ids = topic_ids or {}
        self._seeks = 0
        self._refused: dict[Any, int] = {}  # partition -> in a row, up to the last run that was processed
        self._at: dict[Any, dict[int, int]] = defaultdict(dict)  # partition -> offset -> as above, if not 0

    def begin(self, texts: Mapping[Any, str], *, seeks: int) -> None:
        """Go back to what stands beside the committed offsets.

        Args:
            texts: the notes by partition.
            seeks: the consumer's number of seeks from now on.

        Raises:
            Misconfigured: an offset belongs to another topic of that name.
        """
        notes = {tp: self._read(tp, text) for tp, text in texts.items()}
        for tp, note in notes.items():
            if topic_id := self._topic_ids.get(tp.topic):
                check_topic(
                    note, topic=tp.topic, partition=tp.partition, topic_id=topic_id, group=self._group
                )
        self._seeks = seeks
        self._refused = {tp: note.refused for tp, note in notes.items() if note}
        self._at = defaultdict(dict)

    def refused_before(self, tp: Any) -> int:
        """Records refused in a row up to the next run of a partition."""
        return self._refused.get(tp, 0)

    def processed(self, tp: Any, *, end: int, refused: int, seeks: int) -> None:
        """A run was processed, after which so many are refused in a row; it may be of before a seek."""
        if seeks == self._seeks:
            self._refused[tp] = refused
            if refused:
                self._at[tp][end] = refused

    def text(self, tp: Any, offset: int) -> str:
        """The note to commit beside an offset; what stands before it is forgotten."""
        topic_id = self._topic_ids.get(tp.topic)
        if topic_id is None:
            return ""
        refused = self._at[tp].get(offset, 0)
        self._at[tp] = {at: count for at, count in self._at[tp].items() if at >= offset}
        return OffsetNote(topic_id, refused=refused).text()

    @property
    def longest(self) -> int:
        """The longest row of refused records now."""
        return max(self._refused.values(), default=0)

    def _read(self, tp: Any, text: str) -> OffsetNote | None:
        try:
            return read_note(text)
        except ValueError as error:
            _log.warning("%s[%s]: %s", tp.topic, tp.partition, error)
            return None
