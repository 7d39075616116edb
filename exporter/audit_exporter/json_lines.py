"""Events as JSON: times as RFC 3339 in UTC, values to the digit as they were stored."""

from collections.abc import Mapping
from typing import Any

import msgspec

_JSON_TEXT = ("metadata", "extra")


def event_json(event: Mapping[str, Any]) -> bytes:
    """One event as a JSON object on one line.

    Args:
        event: the columns of the view audit_log by name.
    """
    return msgspec.json.encode(
        {
            **event,
            **{name: _raw(event[name]) for name in _JSON_TEXT if name in event},
            "changes": [_change(change) for change in event.get("changes", ())],
        }
    )


def _change(change: Mapping[str, str]) -> dict[str, Any]:
    """A change; a value that was absent is absent here too."""
    values = {name: _raw(change[name]) for name in ("old", "new") if change[name]}
    return {"field": change["field"], "label": change["label"] or None, **values}


def _raw(text: str) -> msgspec.Raw | None:
    return msgspec.Raw(text.encode()) if text else None
