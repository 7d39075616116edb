"""Templates made ready: each looks up only what it shows."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from audit_schemas.catalogue import Catalogue, Field, TargetType
from audit_schemas.catalogue.model import Happening, Templates, placeholders
from audit_schemas.event import Event
from audit_schemas.wording.happened import Happened
from audit_schemas.wording.values import LONGEST_NAME, humanized, shortened


class Subject(NamedTuple):
    """What a sentence is about."""

    event: Event
    type: str
    """The target's type in words."""
    labels: Sequence[str]
    """Of the first changed fields, in order."""
    further: int
    """So many changed fields more."""
    happened: Happened
    """To the only changed field; nothing where there is none or more."""
    sentence: str = ""
    """What was tried, where it failed."""


Render = Callable[[Subject], str]


class Sentences(NamedTuple):
    """Finds the most particular template, and remembers it: its key, and what fills it."""

    of_change: Callable[[str, str, Happening], tuple[str, Render]]
    """From the target's type, the only changed field or nothing, and what happened."""
    of_action: Callable[[str, str], tuple[str, Render]]
    """From the target's type and the action."""


def sentences(catalogue: Catalogue) -> Sentences:
    """Make the functions that find a catalogue's templates."""
    no_target, no_field = TargetType(module="-"), Field()

    @lru_cache(maxsize=16_384)
    def of_change(target_type: str, field: str, kind: Happening) -> tuple[str, Render]:
        target = catalogue.targets.get(target_type, no_target)
        ways: tuple[tuple[str, Templates], ...] = (
            (f"{target_type}.{field}.{kind}", target.fields.get(field, no_field).templates),
            (f"{field}.{kind}", catalogue.fields.get(field, no_field).templates),
            (f"{target_type}.{kind}", target.templates),
            (kind, catalogue.templates),
        )
        return next((key, compiled(templates[kind])) for key, templates in ways if kind in templates)

    @lru_cache(maxsize=4096)
    def of_action(target_type: str, action: str) -> tuple[str, Render]:
        target = catalogue.targets.get(target_type, no_target)
        if action in target.actions:
            return f"{target_type}.{action}", compiled(target.actions[action])
        if action in catalogue.actions:
            return action, compiled(catalogue.actions[action])
        return of_change(target_type, "", "other")

    return Sentences(of_change, of_action)


def compiled(template: str) -> Render:
    """Make the function that fills a template; its placeholders are known to exist."""
    parts = [_PLACEHOLDERS[name] for name in placeholders(template)]
    filled = re.sub(r"\{\w+\}", "{}", template).format
    return lambda subject: filled(*[part(subject) for part in parts])


def why(event: Event) -> str:
    """The reason of a failure, behind a colon."""
    reason = event.outcome_reason
    return f": {shortened(reason, LONGEST_NAME)}" if reason and event.outcome == "failure" else ""


@lru_cache(maxsize=4096)
def _sentence_start(action: str) -> str:
    return humanized(action).capitalize()


_PLACEHOLDERS: Mapping[str, Render] = {
    "action": lambda it: _sentence_start(it.event.action),
    "type": lambda it: it.type,
    "target": lambda it: shortened(it.event.target.name or it.event.target.id, LONGEST_NAME),
    "label": lambda it: it.labels[0] if it.labels else "",
    "old": lambda it: it.happened.old,
    "new": lambda it: it.happened.new,
    "added": lambda it: it.happened.added,
    "removed": lambda it: it.happened.removed,
    "labels": lambda it: ", ".join(it.labels),
    "count": lambda it: str(it.further),
    "why": lambda it: why(it.event),
    "sentence": lambda it: it.sentence,
}
"""What `audit_schemas.catalogue.model.PLACEHOLDERS` names."""
