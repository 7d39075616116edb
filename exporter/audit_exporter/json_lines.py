"""Events as JSON: times as RFC 3339 in UTC, values to the digit as they were stored."""

from collections.abc import Mapping
from typing import Any

import msgspec

_JSON_TEXT = ("metadata", "extra")
_TARGET = ("type", "id", "name", "url")


def event_json(event: Mapping[str, Any]) -> bytes:
    """One event as a JSON object on one line.

    Args:
        event: the columns of the view audit_log by name.
    """
    values: dict[str, Any] = dict(event)
    values |= {name: _raw(event[name]) for name in _JSON_TEXT}
    values["changes"] = [_change(*change) for change in event["changes"]]
    values["related"] = [dict(zip(_TARGET, target, strict=True)) for target in event["related"]]
    return msgspec.json.encode(values)


def _change(field: str, label: str, old: str, new: str) -> dict[str, Any]:
    """A change; a value that was absent is absent here too."""
    values = {name: _raw(text) for name, text in (("old", old), ("new", new)) if text}
    return {"field": field, "label": label or None, **values}


def _raw(text: str) -> msgspec.Raw | None:
    return msgspec.Raw(text.encode()) if text else None
