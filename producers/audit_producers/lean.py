"""Messages without what goes without saying: a field at its default is left out, and read as its default."""

import dataclasses
from functools import cache
from typing import Any


def lean(value: Any) -> Any:
    """A message's dataclass as a dictionary of the fields that are not at their defaults.

    Anything else is returned as it is.
    """
    cls: type = type(value)
    defaults = _defaults(cls)
    if defaults is None:
        return value
    fields = {}
    for name, default in defaults:
        item = getattr(value, name)
        if item is not default and item != default:
            fields[name] = lean(item)
    return fields


@cache
def _defaults(cls: Any) -> tuple[tuple[str, Any], ...] | None:
    """A dataclass's fields with their defaults, MISSING where there is none; None of any other class."""
    if not dataclasses.is_dataclass(cls):
        return None
    return tuple((field.name, field.default) for field in dataclasses.fields(cls))
