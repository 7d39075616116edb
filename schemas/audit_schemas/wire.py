"""What msgspec reads and writes on the way, derived from the dataclasses.

A msgspec Struct is decoded faster than a dataclass, and it can refuse unknown fields. So the hot
path works on Structs with the very fields of the dataclasses, derived here once. They look alike,
which is why the functions below are typed with the dataclasses.
"""

import dataclasses
import types
from collections.abc import Iterator
from functools import cache
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Raw

from audit_schemas.event import Event


@cache
def struct_of(cls: Any, *, strict: bool, optional: frozenset[str] = frozenset()) -> type[msgspec.Struct]:
    """Derive the Struct of a dataclass, and of those within it.

    Args:
        cls: a dataclass.
        strict: refuse unknown fields; otherwise they are passed over.
        optional: required fields of `cls` that may be absent (msgspec.UNSET) in this Struct.
    """
    hints = get_type_hints(cls, include_extras=True)
    fields = [
        (field.name, _derived(hints[field.name], strict=strict), *_default(field, strict=strict))
        if field.name not in optional
        else (field.name, _derived(hints[field.name], strict=strict) | msgspec.UnsetType, msgspec.UNSET)
        for field in dataclasses.fields(cls)
    ]
    return msgspec.defstruct(
        cls.__name__, fields, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=strict
    )


def _default(field: "dataclasses.Field[Any]", *, strict: bool) -> tuple[Any, ...]:
    if field.default_factory is not dataclasses.MISSING:
        return (msgspec.field(default_factory=field.default_factory),)
    if field.default is dataclasses.MISSING:
        return ()
    if dataclasses.is_dataclass(field.default):
        return (struct_of(cast("Any", type(field.default)), strict=strict)(),)
    return (field.default,)


def _derived(hint: Any, *, strict: bool) -> Any:
    """A type hint with each dataclass in it replaced by its Struct."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return struct_of(cast("Any", hint), strict=strict)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return Union[tuple(_derived(argument, strict=strict) for argument in arguments)]  # noqa: UP007
    if origin is tuple:
        return types.GenericAlias(tuple, (_derived(arguments[0], strict=strict), ...))
    return hint


encode = msgspec.json.Encoder(decimal_format="string").encode
"""Any message of ours as JSON."""

_strict = msgspec.json.Decoder(struct_of(Event, strict=True))
_tolerant = msgspec.json.Decoder(struct_of(Event, strict=False))


def decode_event(data: bytes) -> tuple[Event, str]:
    """Read an event as it lies in Kafka.

    Returns:
        The event, and JSON text of the fields that this version does not know as path -> value
        (empty where there are none).

    Raises:
        msgspec.DecodeError: the bytes are no JSON, or (its subclass msgspec.ValidationError) no event.
        UnicodeDecodeError: a value is not UTF-8.
    """
    try:
        return cast("Event", _strict.decode(data)), ""
    except msgspec.ValidationError:
        return _with_unknown(data)
    except RecursionError:
        raise too_deep() from None


def _with_unknown(data: bytes) -> tuple[Event, str]:
    try:
        event = _tolerant.decode(data)
        return cast("Event", event), encode(dict(unknown_fields(Event, data))).decode()
    except RecursionError:
        raise too_deep() from None


def too_deep() -> msgspec.DecodeError:
    """What is nested so deeply that reading it would end the process is no message of ours."""
    return msgspec.DecodeError("JSON is nested too deeply")


def unknown_fields(cls: Any, data: bytes | Raw, path: str = "") -> Iterator[tuple[str, Raw]]:
    """The fields of a message that its dataclass does not have, with their paths.

    Args:
        cls: the dataclass.
        data: JSON that its tolerant Struct has accepted.
        path: where the object lies within the message, with a dot at its end.
    """
    hints = get_type_hints(cls)
    for name, value in msgspec.json.decode(data, type=dict[str, Raw]).items():
        if name not in hints:
            yield f"{path}{name}", value
            continue
        nested = next((hint for hint in _within(hints[name]) if dataclasses.is_dataclass(hint)), None)
        if nested is None or bytes(value) == b"null":
            continue
        if bytes(value).startswith(b"["):
            for index, item in enumerate(msgspec.json.decode(value, type=list[Raw])):
                yield from unknown_fields(nested, item, f"{path}{name}.{index}.")
        else:
            yield from unknown_fields(nested, value, f"{path}{name}.")


def _within(hint: Any) -> Iterator[Any]:
    yield hint
    for argument in get_args(hint):
        yield from _within(argument)
