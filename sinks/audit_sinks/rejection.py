"""Finding the rows that ClickHouse refuses, so that the others go through."""

from collections.abc import Callable, Sequence

from audit_sinks.batches import Refusal, Row
from audit_sinks.errors import RowRefused

Send = Callable[[Sequence[Row]], None]
"""Inserts rows as one block. Raises RowRefused when a row's content is at fault."""
Check = Callable[[Sequence[Refusal]], None]
"""Told what is refused up to now. Raises where that is too much."""


def insert_all_but_refused(rows: Sequence[Row], send: Send, check: Check) -> list[Refusal]:
    """Insert rows, halving a refused block until what is refused stands alone.

    Args:
        rows: in the order of their offsets; the halves are always the same, and so are their tokens.
        send: inserts a block.
        check: ends it where too much is refused: it is the table that does not fit then.

    Returns:
        One refusal for each row that was not inserted.
    """
    refusals: list[Refusal] = []
    waiting = [rows] if rows else []
    while waiting:
        block = waiting.pop()
        try:
            send(block)
        except RowRefused as error:
            if len(block) > 1:
                middle = len(block) // 2
                waiting += [block[middle:], block[:middle]]
                continue
            refusals.append(Refusal(block[0].offset, block[0].record, "rejected", error.message))
            check(refusals)
    return refusals
