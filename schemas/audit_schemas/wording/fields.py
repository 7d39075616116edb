"""What the catalogue knows of a field of a target type, looked up once."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from audit_schemas.catalogue import Catalogue, Field
from audit_schemas.wording.happened import Tell, secret_told, switch_teller, told_by
from audit_schemas.wording.lists import list_teller
from audit_schemas.wording.values import humanized, shower

_UNKNOWN = Field()


class Known(NamedTuple):
    """What is known of one field."""

    label: str | None
    """The catalogue's; nothing where it has none."""
    words: str
    """The label, or else the field's name in words."""
    secret: bool
    tell: Tell
    """What happened to it."""


Find = Callable[[str, str], Known]
"""From a target's type and a field's path."""


def field_finder(catalogue: Catalogue) -> Find:
    """Make the function that finds what is known of fields; it remembers what it found."""

    @lru_cache(maxsize=16_384)
    def find(target_type: str, path: str) -> Known:
        if field := field_of(catalogue, target_type, path):
            return _known(field, field.label, path)
        first, dot, rest = path.partition(".")
        around = field_of(catalogue, target_type, first) if dot else None
        if around is None:
            return _known(_UNKNOWN, None, path)
        # Something within a field: of its kind only that it is secret goes for what lies within.
        label = f"{around.label} {humanized(rest)}" if around.label else None
        return _known(around if around.kind == "secret" else _UNKNOWN, label, path)

    return find


def field_of(catalogue: Catalogue, target_type: str, name: str) -> Field | None:
    """A target type's own field, or that of every type; nothing where neither is known."""
    target = catalogue.targets.get(target_type)
    return (target and target.fields.get(name)) or catalogue.fields.get(name)


def _known(field: Field, label: str | None, path: str) -> Known:
    return Known(label, label or humanized(path), field.kind == "secret", _teller(field))


def _teller(field: Field) -> Tell:
    show = shower(field)
    match field.kind:
        case "secret":
            return secret_told
        case "list":
            return list_teller(field.choices)
        case "boolean":
            return switch_teller(show)
        case "text":
            return _as_it_comes(told_by(show), list_teller({}))
        case _:
            return told_by(show)


def _as_it_comes(scalar: Tell, items: Tell) -> Tell:
    """Of a field whose kind nobody has said: a list tells itself by its bracket."""
    return lambda old, new: (items if old[:1] == "[" or new[:1] == "[" else scalar)(old, new)
