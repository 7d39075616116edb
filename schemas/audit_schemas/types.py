"""The scalar types of the messages, read alike by pydantic and by msgspec.

Where the two differ by default (a time without seconds, a UUID in braces), pydantic asks msgspec,
so that what one accepts is exactly what the other accepts.
"""

from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType
from pydantic import BeforeValidator, GetJsonSchemaHandler, StringConstraints, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from audit_schemas.json_text import to_json_text

T = TypeVar("T")

ACCOUNT_LENGTH = 200
KEY_LENGTH = 2048  # an Amazon resource name has up to 2,048 characters
ACTION_PATTERN = r"^[a-z][a-z0-9_]*$"
ACTION_LENGTH = 64


def _read_as(kind: type[T]) -> BeforeValidator:
    """Let msgspec read a string; anything else goes on to pydantic as it is."""

    def read(value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from None

    return BeforeValidator(read)


class _Value:
    """Tells pydantic how any JSON value becomes the JSON text that a change carries."""

    def __init__(self, json_schema: dict[str, Any], *, object_only: bool = False) -> None:
        self._json_schema = json_schema
        self._object_only = object_only

    def _read(self, value: object) -> Raw | UnsetType:
        if value is UNSET:
            return UNSET
        text = value if isinstance(value, Raw) else to_json_text(value)
        if self._object_only and not bytes(text).lstrip().startswith(b"{"):
            raise ValueError("must be an object")
        return text

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self._read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: None if value is UNSET else msgspec.json.decode(value)
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return self._json_schema


AccountId = Annotated[
    str,
    Meta(min_length=1, max_length=ACCOUNT_LENGTH),
    StringConstraints(min_length=1, max_length=ACCOUNT_LENGTH),
]
"""The tenant that owns a row; nothing is ever read without one."""

Key = Annotated[
    str,
    Meta(min_length=1, max_length=KEY_LENGTH),
    StringConstraints(min_length=1, max_length=KEY_LENGTH),
]
"""An identifier or a type's name: never empty."""

ActionName = Annotated[
    str,
    Meta(pattern=ACTION_PATTERN, max_length=ACTION_LENGTH),
    StringConstraints(pattern=ACTION_PATTERN, max_length=ACTION_LENGTH),
]
"""A verb in the present tense: create, update, delete, login, logout, export, view, or a service's own."""

EventId = Annotated[UUID, _read_as(UUID)]
"""A UUID in its canonical form, or without the hyphens."""

Instant = Annotated[
    datetime,
    Meta(tz=True),
    _read_as(Annotated[datetime, Meta(tz=True)]),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A moment with its zone, RFC 3339; microseconds are kept, finer digits are rounded."""

Value = Annotated[Raw | UnsetType, _Value({"description": "Any JSON value, kept to the digit."})]
"""A JSON value as its own text: 1.10 stays 1.10, and absent, null and "" stay three things."""

JsonObject = Annotated[Raw, _Value({"type": "object"}, object_only=True)]
"""A JSON object as its own text."""

EMPTY_OBJECT = Raw(b"{}")
