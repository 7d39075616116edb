"""How a Python value becomes JSON text that no later reader can misunderstand."""

import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Raw

SAFE_INTEGER = 2**53
"""Beyond it a reader that holds numbers as doubles changes them (RFC 8259, section 6)."""

_encoder = msgspec.json.Encoder(decimal_format="string", order="deterministic")


def to_json_text(value: object) -> Raw:
    """Write a value as JSON.

    Decimals and integers beyond 2**53 become strings, since most readers would round them. Times,
    UUIDs, enumerations, dataclasses and bytes take the form that msgspec gives them; what it does
    not know becomes its `str()`.

    Raises:
        ValueError: for NaN and infinities, for text with lone surrogates, and for a value that
            contains itself.
    """
    try:
        return Raw(_encoder.encode(_exact(value)))
    except (UnicodeEncodeError, RecursionError) as error:
        raise ValueError(f"cannot be written as JSON: {error}") from None


def _exact(value: object) -> Any:
    """Replace what JSON would change without a word."""
    if value is None or isinstance(value, str | bool | Raw):
        return value
    if isinstance(value, int | float | Decimal):
        return _exact_number(value)
    if isinstance(value, Mapping):
        return {str(key): _exact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(item) for item in value]
    if isinstance(value, AbstractSet):
        return sorted((_exact(item) for item in value), key=repr)
    return _exact(msgspec.to_builtins(value, enc_hook=str))


def _exact_number(value: float | Decimal) -> float | str:
    if not math.isfinite(value):
        raise ValueError(f"{value!r} is no JSON number")
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, int) and abs(value) > SAFE_INTEGER:
        return str(value)
    return value
