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
from audit_schemas.wire import encode, struct_of, unknown_fields
from audit_sinks.errors import Invalid

Read = Callable[[bytes], bytes]
"""Returns the JSON that ClickHouse is to parse. Raises Invalid, saying what is wrong with the message."""

Model = TypeVar("Model", bound=BaseModel)

_strict = msgspec.json.Decoder(struct_of(EnrichedEvent, strict=True))
_tolerant = msgspec.json.Decoder(struct_of(EnrichedEvent, strict=False))


def read_event(data: bytes) -> bytes:
    """Check an enriched event; fields of a newer processor are moved into `extra`.

    Raises:
        Invalid: it is no enriched event.
    """
    try:
        _strict.decode(data)
    except msgspec.ValidationError:
        return _with_unknown_kept(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(str(error)) from None
    return data


def _with_unknown_kept(data: bytes) -> bytes:
    try:
        event: Any = _tolerant.decode(data)
        unknown = dict(unknown_fields(EnrichedEvent, data))
        known = msgspec.json.decode(event.extra or b"{}", type=dict[str, Raw])
        fields = msgspec.json.decode(data, type=dict[str, Raw])
        return encode({**fields, "extra": encode({**known, **unknown}).decode()})
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(str(error)) from None


def reader(model: type[Model]) -> Read:
    """A reader for a model of pydantic's, which ClickHouse gets as the model understood it."""

    def read(data: bytes) -> bytes:
        try:
            return model.model_validate_json(data).model_dump_json().encode()
        except ValidationError as error:
            raise Invalid("; ".join(_faults(error))) from None

    return read


def _faults(error: ValidationError) -> Iterable[str]:
    for fault in error.errors(include_url=False):
        yield f"{'.'.join(map(str, fault['loc'])) or 'message'}: {fault['msg']}"
