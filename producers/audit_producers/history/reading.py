"""How a record becomes an event: what a mapping says, or what an event's own line is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from audit_producers.history.values import Fields


@dataclass(frozen=True, slots=True)
class Reading:
    """Two functions of a record's values."""

    fill: Callable[[Fields], dict[str, Any]]
    """The fields of its event, without `recorded` and perhaps without an id; raises Invalid."""
    is_named: Callable[[Fields], bool]
    """Whether the record has an id or a key of its own."""
