"""The JSON Schemas that Auditlane publishes, and whether a change of one is backward compatible."""

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from audit_schemas.contact_batch import ContactBatch
from audit_schemas.dead_letter import DeadLetter
from audit_schemas.directory import Account, DirectoryActor
from audit_schemas.enriched import EnrichedEvent
from audit_schemas.event import Event
from audit_schemas.mark import Mark
from audit_schemas.producer_record import ProducerRecord
from audit_schemas.validation import OPTIONAL

MESSAGES: Mapping[str, type] = {
    "event": Event,
    "enriched_event": EnrichedEvent,
    "contact_batch": ContactBatch,
    "mark": Mark,
    "dead_letter": DeadLetter,
    "account": Account,
    "actor": DirectoryActor,
    "producer_record": ProducerRecord,
}
_DRAFT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


class _Generator(GenerateJsonSchema):
    ignored_warning_kinds = frozenset({"skipped-choice", "non-serializable-default"})  # type: ignore[assignment]


def schema_of(name: str) -> Schema:
    """The JSON Schema of a message as its definition stands now.

    The event's is that of what a service publishes: without `id` and `occurred_at` they are minted.
    """
    schema = TypeAdapter(MESSAGES[name]).json_schema(schema_generator=_Generator)
    if name == "event":
        schema["required"] = [field for field in schema["required"] if field not in OPTIONAL]
    return {"$schema": _DRAFT, "title": name, **{key: schema[key] for key in schema if key != "title"}}


def folder() -> Path:
    """Where the published schemas lie."""
    return Path(str(files("audit_schemas").joinpath("published")))


def published(name: str) -> Schema | None:
    """A message's schema as it was last published."""
    path = folder() / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def text_of(schema: Schema) -> str:
    """A schema as its file holds it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def breaks(old: Schema, new: Schema) -> list[str]:
    """What a reader or writer that follows `old` would stumble over in `new`.

    A field may be added when it is optional, and a rule may be relaxed. A field may not go, change
    its type, become required, or lose a permitted value.
    """
    return list(_breaks(old, new, old, new, ""))


def _breaks(old: Any, new: Any, old_root: Schema, new_root: Schema, path: str) -> Iterator[str]:
    old, new = _resolved(old, old_root), _resolved(new, new_root)
    if lost := _types(old) - _types(new):
        yield f"{path or 'message'}: no longer {' or '.join(sorted(lost))}"
    for limit, stricter in (("minLength", max), ("maxLength", min), ("minItems", max), ("maxItems", min)):
        if limit in new and stricter(old.get(limit, new[limit]), new[limit]) != old.get(limit):
            yield f"{path}: {limit} is stricter"
    if "enum" in new and set(map(str, old.get("enum", []))) - set(map(str, new["enum"])):
        yield f"{path}: lost a permitted value"
    if new.get("pattern") not in (None, old.get("pattern")):
        yield f"{path}: the pattern is another"
    for name in set(new.get("required", ())) - set(old.get("required", ())):
        yield f"{_joined(path, name)}: became required"
    for name, field in old.get("properties", {}).items():
        if name not in new.get("properties", {}):
            yield f"{_joined(path, name)}: is gone"
        else:
            yield from _breaks(field, new["properties"][name], old_root, new_root, _joined(path, name))
    if "items" in old and "items" in new:
        yield from _breaks(old["items"], new["items"], old_root, new_root, f"{path}[]")


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _resolved(schema: Any, root: Schema) -> Schema:
    """Follow a reference, and merge a nullable type's other half into it."""
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" not in schema:
        return dict(schema)
    halves = [_resolved(half, root) for half in schema["anyOf"]]
    merged: Schema = {"types": set().union(*(_types(half) for half in halves))}
    for half in halves:
        merged |= {key: value for key, value in half.items() if key not in ("type", "types")}
    return merged


def _types(schema: Schema) -> set[str]:
    """The JSON types that a schema permits; none where it permits all."""
    if "types" in schema:
        return set(schema["types"])
    named = schema.get("type", [])
    return {named} if isinstance(named, str) else set(named)
