"""The limit past which the sink stops, instead of emptying a topic into the dead letters."""

from collections.abc import Sequence

from audit_schemas.topics import DEAD_LETTERS
from audit_sinks.batches import Batch, Place, Refusal
from audit_sinks.errors import Misconfigured


def check(place: Place, batch: Batch, rejected: Sequence[Refusal], *, limit: int) -> None:
    """Refuse to go on where too much is refused: of one block, along with all in a row right before it.

    Args:
        place: where the block was read.
        batch: the block; `refused_before` comes from the committed offset, so that a restart begins
            with what was refused before it.
        rejected: what ClickHouse has refused of it up to now.
        limit: how many records may be refused; 0 for any number.

    Raises:
        Misconfigured: none of the block's refused records is passed then, and a restart stops here again.
    """
    refused = batch.refused_before + len(batch.refusals) + len(rejected)
    if not limit or refused <= limit:
        return
    last = rejected[-1] if rejected else batch.refusals[-1]
    kept = "leave them to the log of this worker" if place.topic == DEAD_LETTERS.name else "dead letters"
    raise Misconfigured(
        f"{place.topic}[{place.partition}]: {refused:,} records in a row or of one block are refused, which "
        f"is more than {limit:,}, the last at offset {last.offset}: {last.detail}",
        remedy=f"look at the records from offset {batch.first} on; where this sink or its tables are older "
        "than they are, update, run `audit migrate up` and start it again: nothing was passed; where they "
        f"are worthless, AUDIT_SINK_REFUSAL_LIMIT=0 lets them pass ({kept})",
    )


def in_a_row(batch: Batch, rejected: Sequence[Refusal]) -> int:
    """How many records behind the last stored one are refused, once a block is inserted.

    Marks and tombstones are neither: a partition that holds nothing else that is good is still in a row.
    """
    refused = [refusal.offset for refusal in (*batch.refusals, *rejected)]
    lost = {refusal.offset for refusal in rejected}
    stored = next((row.offset for row in reversed(batch.rows) if row.offset not in lost), None)
    if stored is None:
        return batch.refused_before + len(refused)
    return sum(offset > stored for offset in refused)
