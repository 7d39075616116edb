"""Ids of records that have none: from what a record says, and how many like it came before in its file."""

from uuid import UUID

from audit_producers.ids import derived_id


class Occurrences:
    """The records of one file. Reading it again gives the same ids; records that are alike stay as many.

    About 70 bytes are kept for each.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._repeated: dict[int, int] = {}

    def id_of(self, content: bytes) -> UUID:
        """The id of the next record, which says this."""
        first = derived_id(content)
        short = first.int & 0xFFFF_FFFF_FFFF_FFF  # 60 bits, which Python keeps in little room
        if short not in self._seen:
            self._seen.add(short)
            return first
        number = self._repeated[short] = self._repeated.get(short, 0) + 1
        return derived_id(b"%b\n%d" % (content, number))
