"""What a catalogue is made of: modules, target types with their fields, rules, and templates."""

import string
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic import Field as Constraint

from audit_schemas.types import ActionName, Key

FieldKind = Literal[
    "text", "number", "boolean", "choice", "money", "secret", "reference", "list", "rich_text", "date",
    "duration",
]  # fmt: skip
"""How a field's values are read and shown; one that does not fit its kind is shown as it is."""
Unit = Literal["seconds", "minutes", "hours", "days"]
"""Of a duration's number."""

Happening = Literal[
    "changed", "set", "cleared", "touched",
    "turned_on", "turned_off",
    "added", "added_many", "removed", "removed_many", "replaced", "reordered",
    "changed_many", "changed_lots", "update",
    "login_failed", "other", "failed",
]  # fmt: skip
"""What happened, where an action's name alone does not say it: which template fits."""

PLACEHOLDERS = frozenset(
    {
        "action", "type", "target", "label", "old", "new", "added", "removed", "labels", "count", "why",
        "sentence",
    }
)  # fmt: skip
"""What a template may name; `sentence` only the one for what failed."""


def placeholders(template: str) -> list[str]:
    """The names in a template, in order.

    Raises:
        ValueError: a brace has no partner.
    """
    return [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]


def _known_placeholders(template: str) -> str:
    if unknown := set(placeholders(template)) - PLACEHOLDERS:
        raise ValueError(
            f"unknown placeholder {', '.join(sorted(unknown))}; there are {', '.join(sorted(PLACEHOLDERS))}"
        )
    return template


def _labelled(value: object) -> object:
    """A field that is only a text is its label."""
    return {"label": value} if isinstance(value, str) else value


Words = Annotated[str, Constraint(min_length=1, max_length=120)]
Template = Annotated[str, Constraint(min_length=1, max_length=400), AfterValidator(_known_placeholders)]
Templates = Mapping[Happening, Template]
Actions = Mapping[ActionName, Template]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_Part):
    """One rule: all that it names must fit."""

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


class Field(_Part):
    """One field of a target type."""

    label: Words | None = None
    """As people see it; without one the field's name in words."""
    kind: FieldKind = "text"
    choices: Mapping[str, Words] = {}
    """Of a choice, or of a list's items: the value as text -> words."""
    unit: Unit = "seconds"
    """Of a duration that is a number."""
    templates: Templates = {}
    """Sentences for this field alone."""


Fields = Mapping[Key, Annotated[Field, BeforeValidator(_labelled)]]


class TargetType(_Part):
    """One type of what can be acted upon."""

    module: Key
    """Where no rule decides otherwise."""
    words: Words | None = None
    """As a sentence names it; without them the type's name in words."""
    fields: Fields = {}
    templates: Templates = {}
    actions: Actions = {}


class ContactFields(_Part):
    """The fields that say who a contact is; a path such as `emails.work` belongs to its first part."""

    name: tuple[Key, ...] = Constraint(min_length=1)
    """The first holds the whole name."""
    email: tuple[Key, ...]
    phone: tuple[Key, ...]


class Catalogue(_Part):
    """Modules by key in the order in which people see them, rules in order, and what is said of events."""

    version: int
    """Grows with the release, and with the revision of the operator's own file: see `reading`."""
    modules: Mapping[Key, Words]
    fallback: Mapping[Key, Words]
    rules: tuple[Rule, ...]
    """They go before the module of the target's type."""
    contact: ContactFields
    targets: Mapping[Key, TargetType] = {}
    fields: Fields = {}
    """Those that mean the same in every target type."""
    templates: Templates = {}
    actions: Actions = {}

    def title(self, module: str) -> str:
        """A module's name as people see it."""
        return self.modules.get(module) or self.fallback.get(module) or module


def contradictions(catalogue: Catalogue) -> Iterator[tuple[tuple[Any, ...], str]]:
    """What no part of a catalogue can see alone: the key's path and what is wrong with it."""
    known = ", ".join(catalogue.modules)
    for number, rule in enumerate(catalogue.rules):
        if rule.module not in catalogue.modules:
            yield ("rules", number, "module"), f"unknown module {rule.module!r}; there are {known}"
    for name, target in catalogue.targets.items():
        if target.module not in catalogue.modules:
            yield ("targets", name, "module"), f"unknown module {target.module!r}; there are {known}"
    for path, template in _templates(catalogue):
        if path != ("templates", "failed") and "sentence" in placeholders(template):
            yield path, "unknown placeholder sentence: it is there for the template `failed` alone"


def _templates(catalogue: Catalogue) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every template with its path."""
    for part in ("templates", "actions"):
        for key, template in getattr(catalogue, part).items():
            yield (part, key), template
        for name, target in catalogue.targets.items():
            for key, template in getattr(target, part).items():
                yield ("targets", name, part, key), template
    owners: list[tuple[tuple[str, ...], Fields]] = [((), catalogue.fields)]
    owners += [(("targets", name), target.fields) for name, target in catalogue.targets.items()]
    for owner, fields in owners:
        for name, field in fields.items():
            for key, template in field.templates.items():
                yield (*owner, "fields", name, "templates", key), template
