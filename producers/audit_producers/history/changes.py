"""The changes of a record, in the ways in which other systems write them."""

from collections.abc import Iterator

import msgspec
from msgspec import UNSET, Raw, UnsetType

from audit_producers.history.mapping import ChangesSource, Keys
from audit_producers.history.ruby_yaml import yaml_as_json
from audit_producers.history.values import Fields, Found, as_text, find
from audit_schemas.errors import Invalid
from audit_schemas.event import Change
from audit_schemas.json_text import to_json_text

_NULL = Raw(b"null")
_ADDED, _REMOVED = "add", "delete"
"""What django-auditlog says of the objects of a relation."""


def changes_of(source: ChangesSource, fields: Fields, action: str) -> list[Change]:
    """What a record says that changed.

    Raises:
        Invalid: it cannot be read.
    """
    if source.from_ is None:
        found = _of_columns(source.each or Keys(), fields)
    elif (told := first(fields, source.from_)) is not None:
        found = list(_of_value(_read(told), source.each or Keys()))
    elif action == "delete" and (before := first(fields, source.before or ())) is not None:
        found = [Change(field=name, old=value) for name, value in _object(_read(before)).items()]
    else:
        found = []
    return [_with_null(one, source.null) for one in found if one.field not in source.leave_out]


def first(fields: Fields, paths: tuple[str, ...]) -> Found | None:
    """What is at the first of some paths that is there; an empty text is not."""
    return next((it for path in paths if (it := find(fields, path)) is not None and it != ""), None)


def _read(found: Found) -> Raw:
    """The JSON that a value is, or that its text holds, be it as YAML."""
    text = as_text(found).strip()
    if text.startswith("---"):
        return yaml_as_json(text)
    if text[:1] not in ("{", "[") and text != "null":
        raise Invalid(f"{text[:60]!r} is neither JSON nor YAML")
    return Raw(text.encode())


def _object(text: Raw) -> dict[str, Raw]:
    try:
        return msgspec.json.decode(text, type=dict[str, Raw])
    except msgspec.DecodeError as error:
        raise Invalid(f"is no JSON object: {error}") from None


def _of_value(told: Raw, keys: Keys) -> Iterator[Change]:
    if bytes(told).startswith(b"["):
        try:
            items = msgspec.json.decode(told, type=list[dict[str, Raw]])
        except msgspec.DecodeError as error:
            raise Invalid(f"is no list of objects: {error}") from None
        yield from (change for item in items for change in _of_columns(keys, item))
    elif told != _NULL:
        yield from (_of_pair(field, value) for field, value in _object(told).items())


def _of_columns(keys: Keys, fields: Fields) -> list[Change]:
    field = find(fields, keys.field)
    if field is None:
        return []
    label = find(fields, keys.label)
    return [
        Change(
            field=as_text(field),
            label=None if label is None else as_text(label),
            old=_value(fields.get(keys.old)),
            new=_value(fields.get(keys.new)),
        )
    ]


def _value(found: Found | None) -> Raw | UnsetType:
    if found is None:
        return UNSET
    return found if isinstance(found, Raw) else to_json_text(found)


def _of_pair(field: str, value: Raw) -> Change:
    start = bytes(value)[:1]
    if start == b"[":
        pair = msgspec.json.decode(value, type=list[Raw])
        if len(pair) == 2:
            return Change(field=field, old=pair[0], new=pair[1])
    elif start == b"{":
        held = _object(value)
        objects, operation = held.get("objects"), as_text(held.get("operation", ""))
        if objects is not None and operation in (_ADDED, _REMOVED):
            return (
                Change(field=field, new=objects) if operation == _ADDED else Change(field=field, old=objects)
            )
    raise Invalid(f"{field}: {as_text(value)[:60]} is no pair [old, new]")


def _with_null(change: Change, null: str | None) -> Change:
    if null is None:
        return change
    text = to_json_text(null)
    old, new = (_NULL if value == text else value for value in (change.old, change.new))
    return Change(field=change.field, label=change.label, old=old, new=new)
