"""What the sink lets pass to ClickHouse: only messages that their own definition accepts.

ClickHouse's JSON functions never refuse. A number where a text belongs, or a missing field, becomes
a default in silence, so each message is read here first, by the very definition that wrote it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, TypeVar

import msgspec
from msgspec import Raw
from pydantic import BaseModel, ValidationError

from audit_schemas.contact_batch import ContactBatch
from audit_schemas.enriched import EnrichedEvent
from audit_schemas.wire import encode, struct_of, too_deep, unknown_fields
from audit_sinks.errors import Invalid, Malformed

Read = Callable[[bytes], bytes]
"""Returns the JSON that ClickHouse is to parse. Raises Malformed or Invalid, saying what is wrong."""

Model = TypeVar("Model", bound=BaseModel)

_event = msgspec.json.Decoder(struct_of(EnrichedEvent, strict=True))
_newer_event = msgspec.json.Decoder(struct_of(EnrichedEvent, strict=False))
_batch: msgspec.json.Decoder[Any] = msgspec.json.Decoder(struct_of(ContactBatch, strict=True))
_newer_batch: msgspec.json.Decoder[Any] = msgspec.json.Decoder(struct_of(ContactBatch, strict=False))
_BATCH_FIELDS = frozenset(field.name for field in fields(ContactBatch))
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read_event(data: bytes) -> bytes:
    """Check an enriched event; fields of a newer processor are moved into `extra`.

    Raises:
        Malformed: it is no JSON.
        Invalid: it is no enriched event.
    """
    try:
        _event.decode(data)
    except _UNREADABLE:
        return _newer_event_kept(data)
    return data


def read_batch(data: bytes) -> bytes:
    """Check a contact batch; fields of a newer processor are moved into `extra`, the batch's or the event's.

    Raises:
        Malformed: it is no JSON.
        Invalid: it is no contact batch, or holds an event of another contact or window.
    """
    try:
        batch = _batch.decode(data)
    except _UNREADABLE:
        batch, data = _newer_batch_kept(data)
    place = batch.account, "contact", batch.contact, batch.window, batch.window_end
    for number, event in enumerate(batch.events):
        if (event.account, event.target.type, event.target.id, event.window, event.window_end) != place:
            raise Invalid(f"events.{number} is not of the batch's account, contact and window")
    return data


def _newer_event_kept(data: bytes) -> bytes:
    with _said():
        event: Any = _newer_event.decode(data)
        known = msgspec.json.decode(data, type=dict[str, Raw])
        unknown = dict(unknown_fields(EnrichedEvent, data))
    return encode({**known, "extra": encode({**_object(event.extra), **unknown}).decode()})


def _newer_batch_kept(data: bytes) -> tuple[Any, bytes]:
    with _said():
        batch = _newer_batch.decode(data)
        known = msgspec.json.decode(data, type=dict[str, Raw])
        events = msgspec.json.decode(known["events"], type=list[Raw])
    kept = [Raw(read_event(bytes(event))) for event in events]
    unknown = {name: value for name, value in known.items() if name not in _BATCH_FIELDS}
    return batch, encode({**known, "events": kept, "extra": encode(unknown).decode() if unknown else ""})


@contextmanager
def _said() -> Iterator[None]:
    """Say what a message is, if it is not what it should be."""
    try:
        yield
    except msgspec.ValidationError as error:  # a DecodeError too, of what is JSON
        raise Invalid(str(error)) from None
    except RecursionError:
        raise Malformed(str(too_deep())) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(str(error)) from None


def _object(extra: str) -> dict[str, Raw]:
    try:
        return msgspec.json.decode(extra or b"{}", type=dict[str, Raw])
    except _UNREADABLE as error:
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
