"""Finding the rows that ClickHouse refuses, so that the others go through."""

from collections.abc import Callable, Sequence

from audit_sinks.batches import Refusal, Row
from audit_sinks.errors import Misconfigured, RowRefused

Send = Callable[[Sequence[Row]], None]
"""Inserts rows as one block. Raises RowRefused when a row's content is at fault."""


def insert_all_but_refused(rows: Sequence[Row], send: Send, *, limit: int) -> list[Refusal]:
    """Insert rows, halving a refused block until what is refused stands alone.

    Args:
        rows: in the order of their offsets; the halves are always the same, and so are their tokens.
        send: inserts a block.
        limit: how many rows may be refused.

    Returns:
        One refusal for each row that was not inserted.

    Raises:
        Misconfigured: more than `limit` rows are refused; it is the table that does not fit then.
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
            refusals.append(Refusal(block[0].record, "rejected", error.message))
            if len(refusals) > limit:
                raise Misconfigured(
                    f"more than {limit} rows of one batch are refused, the last with: {error.message}",
                    remedy="compare the table with the messages; AUDIT_SINK_REJECTION_LIMIT raises the limit",
                ) from error
    return refusals
