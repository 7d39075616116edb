"""The note beside an offset, as librdkafka hands it out."""

import pytest

from audit_schemas.offset_note import OffsetNote
from audit_sinks.doctor.positions import note_of

NOTE = OffsetNote(topic="Q2xpY2tIb3VzZQ", refused=12)


class Found:
    """A TopicPartition, whose `metadata` is made a text only when it is asked for."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    @property
    def metadata(self) -> str | None:
        return self._raw.decode() if self._raw else None


@pytest.mark.parametrize("behind", [b"", b"\x00", b'."}{', b"\xa0\xb7 of another"])
def test_a_note_is_read_whatever_lies_behind_it_in_memory(behind: bytes) -> None:
    assert note_of(Found(NOTE.text().encode() + behind)) == NOTE


@pytest.mark.parametrize("raw", [b"", b"an operator's", b"\xa0", b'{"other":1}', b"[]"])
def test_what_is_no_note_is_none(raw: bytes) -> None:
    assert note_of(Found(raw)) is None
