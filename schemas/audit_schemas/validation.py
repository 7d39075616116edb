"""Reading events where data enters: exact values from msgspec, explanations from pydantic."""

from functools import cache
from typing import Any, cast

import msgspec
from pydantic import TypeAdapter, ValidationError

from audit_schemas.errors import Invalid
from audit_schemas.event import Event
from audit_schemas.wire import struct_of, too_deep

OPTIONAL = frozenset({"id", "occurred_at"})
"""What whoever publishes may leave out."""

_draft = msgspec.json.Decoder(struct_of(Event, strict=True, optional=OPTIONAL))


@cache
def _adapter() -> TypeAdapter[Event]:
    return TypeAdapter(Event)


def read_draft(line: bytes) -> Event:
    """Read an event's JSON in which `id` and `occurred_at` may be absent (msgspec.UNSET).

    msgspec reads it, since it keeps every digit of a number. What it refuses is explained by
    pydantic, which names all that is wrong at once.

    Raises:
        Invalid: naming every field that is wrong.
    """
    try:
        line.decode()  # msgspec copies values without looking at their encoding
        draft = cast("Event", _draft.decode(line))
        _check_metadata(draft)
        return draft
    except RecursionError:
        raise Invalid(str(too_deep())) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as refusal:
        raise Invalid("; ".join(_explanation(line)) or str(refusal)) from None


def _check_metadata(event: Event) -> None:
    if not bytes(event.metadata).startswith(b"{"):
        raise msgspec.ValidationError("Expected `object` - at `$.metadata`")


def _explanation(line: bytes) -> list[str]:
    try:
        _adapter().validate_json(line)
    except ValidationError as error:
        return _explained(error)
    return []


def _explained(error: ValidationError) -> list[str]:
    """One phrase for each fault: where, what, and the value that is wrong."""
    return [
        f"{_where(fault)}: {fault['msg'].removeprefix('Value error, ')}{_shown(fault)}"
        for fault in error.errors(include_url=False)
        if not (fault["type"] == "missing" and fault["loc"] and fault["loc"][0] in OPTIONAL)
    ]


def _where(fault: Any) -> str:
    return ".".join(map(str, fault["loc"])) or "event"


def _shown(fault: Any) -> str:
    value = fault["input"]
    if fault["type"] == "missing" or isinstance(value, dict | list):
        return ""
    text = repr(value)
    return f" (got {text if len(text) <= 60 else text[:57] + '…'})"
