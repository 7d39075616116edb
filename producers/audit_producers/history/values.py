"""Finding values in a record, by column or path, each kept as it was written."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation

import msgspec
from msgspec import Raw

from audit_producers.history.formats import Record
from audit_schemas.errors import Invalid
from audit_schemas.json_text import to_json_text

Found = str | Raw
"""A text, or JSON to the digit as it stood there."""
Fields = Mapping[str, Found]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"unix": 1_000_000, "unix-ms": 1_000, "unix-us": 1}
"""Microseconds of one unit of a number."""
ISO = "iso"


def fields_of(record: Record) -> Fields:
    """The values of a record by column, or by the keys of its object.

    Raises:
        Invalid: it cannot be read, or is no object.
    """
    if record.fault:
        raise Invalid(record.fault)
    if record.cells is not None:
        return record.cells
    try:
        record.raw.decode()  # msgspec copies values without looking at their encoding
        return msgspec.json.decode(record.raw, type=dict[str, Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"is no JSON object: {error}") from None


def find(fields: Fields, path: str) -> Found | None:
    """The value at a path; nothing where there is none, or it is null.

    Args:
        fields: a record's.
        path: a column or key as it is, or keys and numbers of elements with dots between them.
    """
    if path in fields:
        return _unless_null(fields[path])
    first, *rest = path.split(".")
    found = fields.get(first)
    for key in rest:
        found = _within(found, key)
    return _unless_null(found)


def _unless_null(found: Found | None) -> Found | None:
    return None if isinstance(found, Raw) and bytes(found) == b"null" else found


def _within(found: Found | None, key: str) -> Found | None:
    start = b"" if found is None else bytes(as_json(found))[:1]
    if start == b"{":
        return msgspec.json.decode(as_json(found or ""), type=dict[str, Raw]).get(key)
    if start == b"[" and key.isdecimal():
        items = msgspec.json.decode(as_json(found or ""), type=list[Raw])
        return items[int(key)] if int(key) < len(items) else None
    return None


def as_text(found: Found) -> str:
    """A string as it is; of any other JSON its text."""
    if isinstance(found, str):
        return found
    return str(msgspec.json.decode(found)) if bytes(found)[:1] == b'"' else bytes(found).decode()


def as_json(found: Found) -> Raw:
    """JSON as it is; of a text the JSON that it holds, or else its JSON string."""
    text = as_text(found).strip()
    if text[:1] in ("{", "["):
        try:
            return Raw(msgspec.json.encode(msgspec.json.decode(text, type=Raw)))
        except msgspec.DecodeError:
            pass
    return found if isinstance(found, Raw) else to_json_text(found)


def time_reader(form: str, zone: tzinfo | None) -> Callable[[str], datetime]:
    """Make the function that reads times.

    Args:
        form: `iso`; `unix`, `unix-ms` or `unix-us` for numbers since the epoch; else what strptime reads.
        zone: of times that name none; an hour that occurs twice is the first of the two.

    Returns:
        From a text to a moment in UTC; raises Invalid where it is none.
    """

    def read(text: str) -> datetime:
        try:
            moment = _moment(text.strip(), form)
        except (ValueError, InvalidOperation, OverflowError):
            raise Invalid(f"{text!r} is no time of the form {form}") from None
        if moment.tzinfo is None:
            if zone is None:
                raise Invalid(
                    f'{text!r} names no zone: say in the mapping which it is, as in time.zone = "UTC"'
                )
            moment = moment.replace(tzinfo=zone)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            raise Invalid(f"{text!r} is no time between the years 1 and 9999") from None

    return read


def _moment(text: str, form: str) -> datetime:
    if form == ISO:
        return datetime.fromisoformat(f"{text[:-4]}Z" if text.endswith(" UTC") else text)
    if form in _UNITS:
        return _EPOCH + timedelta(microseconds=int(Decimal(text) * _UNITS[form]))
    return datetime.strptime(text, form)  # noqa: DTZ007 - its zone is added where it names none
