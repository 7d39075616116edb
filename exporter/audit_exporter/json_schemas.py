"""What `--json` prints, as JSON Schema: derived from the views' columns and from our own types."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from audit_exporter.folding import Folded
from audit_exporter.view_columns import ViewColumn

Schema = dict[str, Any]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_NULLABLE = "Nullable("
_LOW = "LowCardinality("
_TEXT = {"type": "string"}
_MOMENT = {"type": "string", "format": "date-time"}
_SCALARS: Mapping[str, Schema] = {
    "String": _TEXT,
    "UUID": {"type": "string", "format": "uuid"},
    "Bool": {"type": "boolean"},
}
_VALUE: Schema = {"description": "Any JSON value; absent where there was none"}
_SPECIAL: Mapping[str, Schema] = {
    "metadata": {"type": ["object", "null"]},
    "extra": {"type": ["object", "null"]},
    "changes": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "field": _TEXT,
                "label": {"type": ["string", "null"]},
                "old": _VALUE,
                "new": _VALUE,
            },
            "required": ["field", "label"],
            "additionalProperties": False,
        },
    },
    "related": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": dict.fromkeys(("type", "id", "name", "url"), _TEXT),
            "required": ["type", "id", "name", "url"],
            "additionalProperties": False,
        },
    },
}
"""What `json_lines` makes of the columns that are no scalars."""


def rows_schema(
    title: str, columns: Iterable[ViewColumn], *, nullable: Collection[str] = (), **more: Schema
) -> Schema:
    """The schema of one line of a list that shows whole rows of a view.

    Args:
        title: of the schema.
        columns: of the view.
        nullable: columns that a line may hold nothing of, though the view always does.
        **more: properties that a line may have besides.
    """
    given = (
        replace(column, type=f"Nullable({column.type})") if column.name in nullable else column
        for column in columns
    )
    properties = {column.name: {"description": column.comment, **_property(column)} for column in given}
    return {
        "$schema": _DRAFT,
        "title": title,
        "type": "object",
        "properties": {**properties, **more},
        "required": list(properties),
        "additionalProperties": False,
    }


def type_schema(title: str, type_: type) -> Schema:
    """The schema of one of our own types."""
    (schema,), definitions = msgspec.json.schema_components([type_])
    name = schema["$ref"].rsplit("/", 1)[1]
    return {"$schema": _DRAFT, **definitions.pop(name), "title": title, "$defs": definitions}


def folded_schema() -> Schema:
    """What an entry of a folded list has besides; null where a request has one event only."""
    (_,), definitions = msgspec.json.schema_components([Folded])
    return {"anyOf": [{"type": "null"}, {**definitions["Folded"], "title": "Folded"}]}


def count_schema(facets: tuple[str, ...]) -> Schema:
    """A line of counts: the facets that `--by` names, and how many events."""
    return {
        "$schema": _DRAFT,
        "title": "count",
        "type": "object",
        "properties": {**dict.fromkeys(facets, _TEXT), "events": {"type": "integer", "minimum": 0}},
        "required": ["events"],
        "additionalProperties": False,
    }


def _property(column: ViewColumn) -> Schema:
    if column.name in _SPECIAL:
        return dict(_SPECIAL[column.name])
    return _of_type(column.type)


def _of_type(type_: str) -> Schema:
    if type_.startswith(_LOW):
        return _of_type(type_[len(_LOW) : -1])
    if type_.startswith(_NULLABLE):
        return {"anyOf": [_of_type(type_[len(_NULLABLE) : -1]), {"type": "null"}]}
    if type_.startswith("Array("):
        return {"type": "array", "items": _of_type(type_[len("Array(") : -1])}
    if type_.startswith("DateTime"):
        return dict(_MOMENT)
    if type_.startswith(("UInt", "Int")):
        return {"type": "integer"}
    return dict(_SCALARS[type_])
