"""What a record is to the sink: a row, a mark, a refusal, or nothing but an offset."""

from typing import Any

from audit_schemas.dead_letter import Reason
from audit_schemas.mark import is_mark
from audit_schemas.topics import EVENTS, TOPICS
from audit_sinks.batches import MarkRow, Outcome, Refusal, Row
from audit_sinks.errors import Invalid, Malformed
from audit_sinks.tables import READERS, read_mark


def outcome(topic: str, offset: int, value: bytes | None, record: Any) -> Outcome:
    """Decide what becomes of a record.

    Args:
        topic: where it lies.
        offset: there.
        value: its value.
        record: it as it was fetched, should it be refused.
    """
    if value is None:
        # The directory's tombstones: whoever has left keeps a name in the log.
        lasting = TOPICS[topic].retention is not None
        return Refusal(offset, record, "malformed", "has no value") if lasting else None
    try:
        if topic == EVENTS.name and is_mark(value):
            return MarkRow(Row(offset, read_mark(value), record))
        return Row(offset, READERS[topic](value), record)
    except Invalid as error:
        reason: Reason = "malformed" if isinstance(error, Malformed) else "invalid"
        return Refusal(offset, record, reason, error.message)
