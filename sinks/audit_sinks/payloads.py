"""What the sink lets pass to ClickHouse: only messages that their own definition accepts.

ClickHouse's JSON functions never refuse. A number where a text belongs, or a missing field, becomes
a default in silence, so each message is read here first, by the very definition that wrote it.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec
from msgspec import Raw
from pydantic import BaseModel, ValidationError

from audit_schemas.enriched import EnrichedEvent
from audit_schemas.wire import encode, struct_of, too_deep, unknown_fields
from audit_sinks.errors import Invalid, Malformed

Read = Callable[[bytes], bytes]
"""Returns the JSON that ClickHouse is to parse. Raises Malformed or Invalid, saying what is wrong."""

Model = TypeVar("Model", bound=BaseModel)

_strict = msgspec.json.Decoder(struct_of(EnrichedEvent, strict=True))
_tolerant = msgspec.json.Decoder(struct_of(EnrichedEvent, strict=False))
_NO_JSON = (msgspec.DecodeError, UnicodeDecodeError)
"""A ValidationError is a DecodeError too, of what is JSON: catch it first."""


def read_event(data: bytes) -> bytes:
    """Check an enriched event; fields of a newer processor are moved into `extra`.

    Raises:
        Malformed: it is no JSON.
        Invalid: it is no enriched event.
    """
    try:
        _strict.decode(data)
    except msgspec.ValidationError:
        return _with_unknown_kept(data)
    except RecursionError:
        raise Malformed(str(too_deep())) from None
    except _NO_JSON as error:
        raise Malformed(str(error)) from None
    return data


def _with_unknown_kept(data: bytes) -> bytes:
    try:
        event: Any = _tolerant.decode(data)
        unknown = dict(unknown_fields(EnrichedEvent, data))
        fields = msgspec.json.decode(data, type=dict[str, Raw])
    except msgspec.ValidationError as error:
        raise Invalid(str(error)) from None
    except RecursionError:
        raise Malformed(str(too_deep())) from None
    except _NO_JSON as error:
        raise Malformed(str(error)) from None
    return encode({**fields, "extra": encode({**_object(event.extra), **unknown}).decode()})


def _object(extra: str) -> dict[str, Raw]:
    try:
        return msgspec.json.decode(extra or b"{}", type=dict[str, Raw])
    except _NO_JSON as error:
        raise Invalid(f"extra: {error}") from None


def reader(model: type[Model]) -> Read:
    """A reader for a model of pydantic's, which ClickHouse gets as the model understood it."""

    def read(data: bytes) -> bytes:
        try:
            return model.model_validate_json(data).model_dump_json().encode()
        except ValidationError as error:
            broken = any(fault["type"] == "json_invalid" and not fault["loc"] for fault in error.errors())
            raise (Malformed if broken else Invalid)("; ".join(_faults(error))) from None

    return read


def _faults(error: ValidationError) -> Iterable[str]:
    for fault in error.errors(include_url=False):
        yield f"{'.'.join(map(str, fault['loc'])) or 'message'}: {fault['msg']}"
