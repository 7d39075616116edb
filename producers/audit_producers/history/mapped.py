"""From a record of another system to the fields of an event, as a mapping says."""

import re
from collections.abc import Callable
from datetime import datetime
from string import Formatter
from typing import Any

from audit_producers.drafting import written_change
from audit_producers.history.changes import changes_of, first
from audit_producers.history.mapping import (
    ActorSources,
    Mapping,
    OriginSources,
    PrincipalSources,
    Source,
    TargetSources,
)
from audit_producers.history.reading import Reading
from audit_producers.history.values import Fields, as_json, as_text, find, time_reader
from audit_producers.redaction import is_secret, redacted, without_secrets
from audit_schemas.errors import Invalid, Misconfigured

_WORD_BEGINS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PLAIN = ("outcome", "outcome_reason", "module", "reason", "id", "idempotency_key")


def mapped(mapping: Mapping, account: str | None) -> Reading:
    """The records of another system, as a mapping reads them.

    Secrets are replaced by the names of their fields, as the SDK does: nobody chose what is in a dump.

    Args:
        mapping: where its parts come from.
        account: whose they are, where the mapping does not say so.

    Raises:
        Misconfigured: nobody says whose they are.
    """
    sources = mapping.event
    if account is None and sources.account is None:
        raise Misconfigured(
            "neither the mapping nor the command says whose events these are",
            remedy="add --account, or event.account to the mapping",
        )
    read_time = time_reader(mapping.time.format, mapping.time.tzinfo)

    def fill(fields: Fields) -> dict[str, Any]:
        action = _needed("action", sources.action, fields)
        filled: dict[str, Any] = {
            "account": read_text("account", sources.account, fields)
            or account
            or _needed("account", sources.account, fields),
            "occurred_at": _time(read_time, sources.occurred_at, fields),
            "action": action,
            "target": _target("target", sources.target, fields),
            "actor": _actor(sources.actor, fields),
            "origin": _origin(sources.origin, fields),
            "related": [
                made
                for one in sources.related
                if read_text("related.id", one.id, fields) and (made := _target("related", one, fields))
            ],
            "metadata": {
                key: value for key, it in sources.metadata.items() if (value := _json(key, it, fields))
            },
        }
        for name in _PLAIN:
            filled[name] = read_text(name, getattr(sources, name), fields)
        if sources.changes:
            try:
                filled["changes"] = [written_change(it) for it in changes_of(sources.changes, fields, action)]
            except Invalid as error:
                raise Invalid(f"changes: {error.message}") from None
        return {name: value for name, value in filled.items() if value}

    def is_named(fields: Fields) -> bool:
        return any(it and _found(it, fields) for it in (sources.id, sources.idempotency_key))

    return Reading(fill, is_named)


def read_text(name: str, source: Source | None, fields: Fields) -> str | None:
    """The text that a source names in a record; nothing where it is empty or not there.

    Raises:
        Invalid: `values` does not know it.
    """
    text = _found(source, fields) if source else None
    if text is None or source is None:
        return None
    if source.values is not None:
        text = _meaning(name, source, text)
    if source.spelling == "snake":
        text = _WORD_BEGINS.sub("_", text).replace("::", "_").lower()
    return text or None


def _found(source: Source, fields: Fields) -> str | None:
    if source.from_ is not None:
        found = first(fields, source.from_)
        return None if found is None else as_text(found)
    if source.template is not None:
        return _from_template(source.template, fields)
    return source.value


def _from_template(template: str, fields: Fields) -> str | None:
    parts = []
    for literal, path, _, _ in Formatter().parse(template):
        parts.append(literal)
        if path is not None:
            found = find(fields, path)
            if found is None or found == "":
                return None
            parts.append(as_text(found))
    return "".join(parts)


def _meaning(name: str, source: Source, text: str) -> str:
    values = source.values or {}
    if text in values:
        return values[text]
    if source.otherwise is None:
        known = ", ".join(map(repr, values))
        raise Invalid(f"{name}: {text!r} is none of the mapping's values {known}; add it, or `otherwise`")
    return source.otherwise.replace("{}", text)


def _needed(name: str, source: Source | None, fields: Fields) -> str:
    text = read_text(name, source, fields)
    if text is None:
        where = " or ".join(map(repr, source.from_ or ())) if source else ""
        raise Invalid(f"{name}: there is nothing" + (f" at {where}" if where else ""))
    return text


def _time(read: Callable[[str], datetime], source: Source, fields: Fields) -> datetime:
    text = _needed("occurred_at", source, fields)
    try:
        return read(text)
    except Invalid as error:
        raise Invalid(f"occurred_at: {error.message}") from None


def _target(name: str, sources: TargetSources, fields: Fields) -> dict[str, str]:
    needed = {part: _needed(f"{name}.{part}", getattr(sources, part), fields) for part in ("type", "id")}
    return needed | _texts(name, sources, ("name", "url"), fields)


def _actor(sources: ActorSources | None, fields: Fields) -> dict[str, Any]:
    if sources is None:
        return {}
    actor: dict[str, Any] = _principal("actor", sources, fields)
    behind = sources.on_behalf_of
    if behind and (found := _principal("actor.on_behalf_of", behind, fields)):
        actor["on_behalf_of"] = found
    return actor


def _principal(name: str, sources: PrincipalSources, fields: Fields) -> dict[str, str]:
    """Somebody, unless nothing but a type is known."""
    texts = _texts(name, sources, ("type", "id", "name", "email"), fields)
    return texts if texts.keys() - {"type"} else {}


def _origin(sources: OriginSources | None, fields: Fields) -> dict[str, str]:
    return _texts("origin", sources, tuple(OriginSources.model_fields), fields) if sources else {}


def _texts(name: str, sources: Any, parts: tuple[str, ...], fields: Fields) -> dict[str, str]:
    return {
        part: text for part in parts if (text := read_text(f"{name}.{part}", getattr(sources, part), fields))
    }


def _json(key: str, source: Source, fields: Fields) -> Any:
    """A value of the metadata: JSON where it is some, without secrets."""
    if source.from_ is None or source.values is not None or source.spelling is not None:
        return read_text(f"metadata.{key}", source, fields)
    found = first(fields, source.from_)
    if found is None:
        return None
    return redacted(as_json(found)) if is_secret(key) else without_secrets(as_json(found))
