"""Which of the modules an event belongs to."""

from collections.abc import Callable
from functools import lru_cache

from audit_schemas.catalogue import Catalogue, Classifier
from audit_schemas.event import Event, Principal, Target
from audit_schemas.wording.notes import UNKNOWN_MODULE, note

Decide = Callable[[Event], tuple[str, str | None]]
"""The module's key, and a note where the producer named one that does not exist."""

_FEW = 8
"""Sets of fields larger than this are rarely the same twice: they are not cached."""
_PEOPLE = frozenset({"agent", "admin"})
"""An administrator is an agent too: both have an agent's record."""


def module_rules(catalogue: Catalogue) -> Decide:
    """Make the function that decides the module of each event, by a catalogue's rules."""
    classify = Classifier.of(catalogue).module
    known = frozenset(catalogue.modules)

    @lru_cache(maxsize=16_384)
    def cached(target_type: str, action: str, fields: tuple[str, ...], own: bool) -> str:
        return classify(target_type, action, fields, actor_is_target=own)

    def decide(event: Event) -> tuple[str, str | None]:
        named = event.module
        if named is not None and named in known:
            return named, None
        fields = tuple([change.field for change in event.changes])
        own = actor_is_target(event.actor, event.target)
        if len(fields) <= _FEW:
            module = cached(event.target.type, event.action, fields, own)
        else:
            module = classify(event.target.type, event.action, frozenset(fields), actor_is_target=own)
        return module, None if named is None else note(UNKNOWN_MODULE, named)

    return decide


def actor_is_target(actor: Principal, target: Target) -> bool:
    """Whether somebody acts upon his own record."""
    if actor.id != target.id:
        return False
    return actor.type == target.type or (actor.type in _PEOPLE and target.type in _PEOPLE)
