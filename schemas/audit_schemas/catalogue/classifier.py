"""Which module an event belongs to, by a catalogue's rules and the modules of its target types."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from audit_schemas.catalogue.model import Catalogue, Rule

UNCLASSIFIED = "unclassified"


@dataclass(frozen=True, slots=True)
class Classifier:
    """The catalogue's rules, sorted by target type once, so that an event meets only its own."""

    by_type: Mapping[str, tuple[Rule, ...]]
    any_type: tuple[Rule, ...]

    @classmethod
    def of(cls, catalogue: Catalogue) -> "Classifier":
        """Sort a catalogue's rules; their order is kept, and what a target type says of itself comes last."""
        own = {name: (Rule(module=target.module),) for name, target in catalogue.targets.items()}
        named = own.keys() | {name for rule in catalogue.rules for name in rule.target_types}
        return cls(
            by_type={name: (*_rules_for(catalogue, name), *own.get(name, ())) for name in named},
            any_type=tuple(rule for rule in catalogue.rules if not rule.target_types),
        )

    def module(self, target_type: str, action: str, fields: Collection[str], *, actor_is_target: bool) -> str:
        """The module of an event: that of the first rule that fits, or `unclassified`."""
        for rule in self.by_type.get(target_type, self.any_type):
            if rule.fits(action, fields, actor_is_target=actor_is_target):
                return rule.module
        return UNCLASSIFIED


def _rules_for(catalogue: Catalogue, target_type: str) -> tuple[Rule, ...]:
    return tuple(
        rule for rule in catalogue.rules if not rule.target_types or target_type in rule.target_types
    )
