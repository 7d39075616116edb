"""How far a partition of audit.changes is, said by the log itself.

A tick is a record of audit.changes without content. The processor passes it on behind all that it
received before, as a mark; whoever has stored the mark has stored all of that.
"""

from pydantic import BaseModel, ConfigDict, Field

from audit_schemas.types import Instant

TICK = "tick"
"""The header of a record without content, which only shows how late it is."""

PREFIX = b'{"mark":'
"""How each mark begins, and no event does: a reader of audit.events tells it without parsing."""


class Mark(BaseModel):
    """A tick on its way through audit.events."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    mark: int = 1
    """The version; the first field, see PREFIX."""
    partition: int = Field(ge=0)
    """Of audit.changes, where the tick lies."""
    partitions: int = Field(ge=1)
    """How many audit.changes has."""
    offset: int = Field(ge=0)
    """The tick's."""
    received_at: Instant
    """Its append time: all that this partition received before is before this mark."""


def is_mark(value: bytes | None) -> bool:
    """Whether a record of audit.events is a mark."""
    return value is not None and value.startswith(PREFIX)
