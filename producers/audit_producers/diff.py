"""What changed between two states of a thing: a list of fields with their old and new values.

A state is taken at once and keeps nothing of the object that it was taken from, so that later
changes of nested values are seen. Mappings, dataclasses and pydantic models within it are followed,
a list is one value. Two laws hold: applying the differences to the first state gives the second,
and a state does not differ from itself.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any
from uuid import UUID

from msgspec import UNSET, Raw, UnsetType
from pydantic import BaseModel, SecretBytes, SecretStr

from audit_schemas.json_text import to_json_text

State = dict[str, Any]
"""Field -> an immutable scalar, JSON text (Raw), `Unwritable`, or a nested state."""

Path = tuple[str, ...]

_SCALARS = (str, int, float, Decimal, bytes, date, time, timedelta, UUID, Enum, SecretStr, SecretBytes)


@dataclasses.dataclass(frozen=True, slots=True)
class Unwritable:
    """A value that has no JSON text: no harm as long as it does not change."""

    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs; UNSET where it was, or is, absent."""

    path: Path
    old: Any
    new: Any


def state_of(value: object) -> State:
    """The state of a mapping, a dataclass, a pydantic model, or an object's public attributes."""
    fields = _fields(value)
    if fields is None:
        fields = {name: item for name, item in _attributes(value) if not name.startswith("_")}
    return {str(name): _taken(item, (id(value),)) for name, item in fields.items()}


def diff(old: State, new: State) -> list[Difference]:
    """The fields that differ, in the order of the new state, those that are gone last."""
    return list(_diff(old, new, ()))


def apply(state: State, differences: Iterable[Difference]) -> State:
    """A state after some differences have been applied to it."""
    result = _copied(state)
    for difference in differences:
        within = result
        for name in difference.path[:-1]:
            within = within[name]
        if difference.new is UNSET:
            del within[difference.path[-1]]
        else:
            within[difference.path[-1]] = difference.new
    return result


@lru_cache(maxsize=8192)
def dotted(path: Path) -> str:
    """A path as a change names its field: `address.city`; a dot within a name is written as `\\.`."""
    return ".".join(name.replace("\\", "\\\\").replace(".", "\\.") or "\\e" for name in path)


def text_of(value: Any) -> Raw | UnsetType:
    """The JSON text of a value of a state.

    Raises:
        ValueError: it has none: NaN, a lone surrogate, a value that contains itself.
    """
    if value is UNSET or isinstance(value, Raw):
        return value
    return to_json_text(_writable(value) if isinstance(value, (dict, Unwritable)) else value)


def _writable(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _writable(item) for name, item in value.items()}
    if isinstance(value, Unwritable):
        raise ValueError(value.reason)  # noqa: TRY004 - its type is fine, its content is not
    return value


def _fields(value: object) -> Mapping[Any, Any] | None:
    """The fields of what is followed; None of anything else."""
    if isinstance(value, Mapping):
        return value
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, BaseModel):
        return dict(value)
    return None


def _attributes(value: object) -> Iterator[tuple[str, Any]]:
    """An object's attributes, from its slots and its dictionary."""
    for cls in type(value).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, name):
                yield name, getattr(value, name)
    yield from getattr(value, "__dict__", {}).items()


def _taken(value: Any, within: tuple[int, ...]) -> Any:
    """A value so that nothing can change it any more."""
    if value is None or isinstance(value, (*_SCALARS, Unwritable)):
        return value
    if id(value) in within:
        return Unwritable("it contains itself")
    try:
        fields = _fields(value)
        if fields is None:
            return to_json_text(value)
        inner = (*within, id(value))
        return {str(name): _taken(item, inner) for name, item in fields.items()}
    except (ValueError, RecursionError) as error:
        return Unwritable(str(error))


def _diff(old: State, new: State, path: Path) -> Iterator[Difference]:
    for name, value in new.items():
        before = old.get(name, UNSET)
        if isinstance(before, dict) and isinstance(value, dict):
            yield from _diff(before, value, (*path, name))
        elif not _same(before, value):
            yield Difference((*path, name), before, value)
    for name, value in old.items():
        if name not in new:
            yield Difference((*path, name), value, UNSET)


def _same(old: Any, new: Any) -> bool:
    if old is new:
        return True
    if isinstance(old, bool) != isinstance(new, bool):  # True == 1 for Python, not for people
        return False
    both_nan = old != old and new != new  # noqa: PLR0124
    return both_nan or bool(old == new)


def _copied(state: State) -> State:
    return {name: _copied(value) if isinstance(value, dict) else value for name, value in state.items()}
