"""What a service's objects are to the audit log: their type, id and name, and the rules of their fields."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol, cast

from audit_producers.diff import Difference, Path, State, diff, dotted, state_of, text_of
from audit_producers.redaction import redacted
from audit_schemas.errors import Invalid
from audit_schemas.event import Change, Target

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Describes(Protocol):
    """An object that says itself which target it is."""

    def audit_target(self) -> Target:
        """The target that an event about this object names."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How objects of one class are recorded."""

    type: str | None = None
    """The target's type; without it the class's name in snake_case."""
    id: str = "id"
    """The attribute, or key, that holds the identifier."""
    name: str | None = "name"
    """The attribute that people know it by; may be missing from an object."""
    redact: Collection[str] = frozenset()
    """Names or dotted paths of fields whose values are secrets, besides those that sound like it."""
    ignore: Collection[str] = frozenset()
    """Names or dotted paths of fields that are not recorded."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Dotted path -> the field's name as people see it."""
    state: Callable[[Any], State] = state_of
    """Takes an object's state."""


_DEFAULT = Kind()


class Kinds:
    """The registered classes; a subclass is recorded like the nearest of its bases."""

    def __init__(self) -> None:
        self._kinds: dict[type, Kind] = {}

    def register(self, cls: type, kind: Kind) -> None:
        """Record objects of a class by a kind's rules."""
        self._kinds[cls] = kind

    def kind_of(self, obj: object) -> Kind:
        """The rules for an object."""
        return next((self._kinds[cls] for cls in type(obj).__mro__ if cls in self._kinds), _DEFAULT)

    def target_of(self, obj: object) -> Target:
        """The target that an object is.

        Raises:
            Invalid: its type or its id is not known.
        """
        if isinstance(obj, Target):
            return obj
        if callable(describe := getattr(obj, "audit_target", None)):
            return cast("Target", describe())
        kind = self.kind_of(obj)
        if kind.type is None and isinstance(obj, Mapping):
            raise Invalid("a dictionary has no type", remedy="say target=Target(type=…, id=…)")
        identifier = _attribute(obj, kind.id)
        if identifier is None:
            raise Invalid(
                f"a {type(obj).__name__} has no {kind.id!r}",
                remedy="register its class with id=…, or say target=Target(type=…, id=…)",
            )
        name = None if kind.name is None else _attribute(obj, kind.name)
        return Target(
            type=kind.type or snake_case(type(obj).__name__),
            id=str(identifier),
            name=None if name is None or callable(name) else str(name),
        )

    def state_of(self, obj: object) -> State:
        """An object's state now; empty for a bare Target."""
        return {} if isinstance(obj, Target) else self.kind_of(obj).state(obj)


def changes(old: State, new: State, kind: Kind = _DEFAULT) -> tuple[Change, ...]:
    """The changes between two states, by the rules of a kind; secrets by their names are still in them.

    Raises:
        Invalid: a changed value cannot be written as JSON.
    """
    return tuple(_changes(diff(old, new), kind))


def _changes(differences: list[Difference], kind: Kind) -> Iterator[Change]:
    for difference in differences:
        path = dotted(difference.path)
        if kind.ignore and _named(difference.path, kind.ignore):
            continue
        try:
            old, new = text_of(difference.old), text_of(difference.new)
        except ValueError as error:
            raise Invalid(f"{path}: {error}") from None
        if kind.redact and _named(difference.path, kind.redact):
            old, new = redacted(old), redacted(new)
        yield Change(field=path, label=kind.labels.get(path), old=old, new=new)


def _named(path: Path, names: Collection[str]) -> bool:
    """Whether a path, the beginning of it, or a name in it is among the names."""
    return any(name in names or dotted(path[: end + 1]) in names for end, name in enumerate(path))


def _attribute(obj: object, name: str) -> Any:
    return obj.get(name) if isinstance(obj, Mapping) else getattr(obj, name, None)


@lru_cache(maxsize=1024)
def snake_case(name: str) -> str:
    """A class's name as a target's type: SmartRule is smart_rule, APIKey is api_key."""
    return _HUMP.sub("_", name).lower()
