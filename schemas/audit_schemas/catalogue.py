"""The catalogue: the 18 modules, the rules that decide an event's module, and the sentences, as data."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field, model_validator

from audit_schemas.errors import Misconfigured
from audit_schemas.types import Key

UNCLASSIFIED = "unclassified"


class Rule(BaseModel):
    """One rule: all that it names must fit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    module: Key
    target_types: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    actor_is_target: bool = False

    def fits(self, action: str, fields: Collection[str], *, actor_is_target: bool) -> bool:
        """Whether the rule fits an event whose target's type is already known to fit."""
        return (
            (not self.actions or action in self.actions)
            and (not self.fields or (bool(fields) and self.fields.issuperset(fields)))
            and (not self.actor_is_target or actor_is_target)
        )


class ContactFields(BaseModel):
    """The fields that say who a contact is; a path such as `emails.work` belongs to its first part."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: tuple[Key, ...] = Field(min_length=1)
    """The first holds the whole name."""
    email: tuple[Key, ...]
    phone: tuple[Key, ...]


class Catalogue(BaseModel):
    """Modules by key, rules in order, templates by kind."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int
    modules: Mapping[str, str]
    fallback: Mapping[str, str]
    rules: tuple[Rule, ...]
    templates: Mapping[str, str]
    contact: ContactFields

    @model_validator(mode="after")
    def _rules_name_modules(self) -> "Catalogue":
        for rule in self.rules:
            if rule.module not in self.modules:
                raise ValueError(f"a rule names the module {rule.module!r}, which is not among the modules")
        return self

    def title(self, module: str) -> str:
        """A module's name as people see it."""
        return self.modules.get(module) or self.fallback.get(module) or module


@dataclass(frozen=True, slots=True)
class Classifier:
    """The catalogue's rules, sorted by target type once, so that an event meets only its own."""

    by_type: Mapping[str, tuple[Rule, ...]]
    any_type: tuple[Rule, ...]

    @classmethod
    def of(cls, catalogue: Catalogue) -> "Classifier":
        """Sort a catalogue's rules; their order is kept."""
        named = {name for rule in catalogue.rules for name in rule.target_types}
        return cls(
            by_type={
                name: tuple(
                    rule for rule in catalogue.rules if not rule.target_types or name in rule.target_types
                )
                for name in named
            },
            any_type=tuple(rule for rule in catalogue.rules if not rule.target_types),
        )

    def module(self, target_type: str, action: str, fields: Collection[str], *, actor_is_target: bool) -> str:
        """The module of an event: that of the first rule that fits, or `unclassified`."""
        for rule in self.by_type.get(target_type, self.any_type):
            if rule.fits(action, fields, actor_is_target=actor_is_target):
                return rule.module
        return UNCLASSIFIED


@cache
def catalogue() -> Catalogue:
    """The catalogue that comes with Auditlane."""
    return _read("catalogue.toml")


@cache
def catalogue_of(version: int) -> Catalogue:
    """The catalogue of a version, this one or an earlier one: its rules say who decided a stored module.

    Raises:
        Misconfigured: that version is not kept.
    """
    current = catalogue()
    if version == current.version:
        return current
    try:
        return _read(f"catalogues/{version}.toml")
    except FileNotFoundError:
        raise Misconfigured(
            f"the catalogue {version} is not known, this one is {current.version}",
            remedy="use a release that has it: each one keeps the earlier ones in catalogues/",
        ) from None


def _read(name: str) -> Catalogue:
    text = files("audit_schemas").joinpath(name).read_text("utf-8")
    return Catalogue.model_validate(tomllib.loads(text))
