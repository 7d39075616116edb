"""The sentence that the log shows of an event, by the catalogue's templates."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from string import Formatter

from audit_schemas.catalogue import Catalogue
from audit_schemas.enriched import EnrichedChange
from audit_schemas.event import Event
from audit_schemas.wording.values import (
    EMPTY,
    LONGEST_NAME,
    humanized,
    shortened,
    shown_value,
)

Describe = Callable[[Event, Sequence[EnrichedChange]], tuple[str, str]]
"""The template's key and the sentence."""
_Render = Callable[[Event, Sequence[EnrichedChange]], str]

_OWN_KIND = frozenset({"create", "delete", "view", "export", "logout"})
"""Actions with a sentence of their own, whatever has changed."""
_NAMED = 3
"""So many changed fields are named; further ones are counted."""


def describer(catalogue: Catalogue) -> Describe:
    """Make the function that describes events, by a catalogue's templates.

    Raises:
        ValueError: a template has a placeholder that does not exist.
    """
    failed = catalogue.templates["failed"]
    templates = {key: _compiled(text) for key, text in catalogue.templates.items() if key != "failed"}

    @lru_cache(maxsize=4096)
    def template_of(target_type: str, kind: str) -> tuple[str, _Render]:
        specific = f"{target_type}.{kind}"
        key = specific if specific in templates else kind
        return key, templates[key]

    def describe(event: Event, changes: Sequence[EnrichedChange]) -> tuple[str, str]:
        kind = kind_of(event, changes)
        key, render = template_of(event.target.type, kind)
        sentence = render(event, changes)
        if event.outcome == "success" or kind == "login_failed":
            return key, sentence
        return "failed", failed.format(sentence=sentence, why=_why(event))

    return describe


def _compiled(text: str) -> _Render:
    """A template that looks up only what it shows."""
    names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    if unknown := set(names) - _PLACEHOLDERS.keys():
        raise ValueError(f"the template {text!r} has unknown placeholders: {', '.join(sorted(unknown))}")
    parts = [_PLACEHOLDERS[name] for name in names]
    filled = re.sub(r"\{\w+\}", "{}", text).format
    return lambda event, changes: filled(*[part(event, changes) for part in parts])


def kind_of(event: Event, changes: Sequence[EnrichedChange]) -> str:
    """The kind of what happened: which template fits."""
    action = event.action
    if action in _OWN_KIND:
        return action
    if action == "login":
        return "login" if event.outcome == "success" else "login_failed"
    if action != "update":
        return "other"
    if len(changes) > 1:
        return "changed_many" if len(changes) <= _NAMED else "changed_lots"
    return _kind_of_change(changes[0]) if changes else "update"


def _kind_of_change(change: EnrichedChange) -> str:
    had, has = change.old not in EMPTY, change.new not in EMPTY
    if (not had and not has) or change.old == change.new:
        return "touched"
    if had and has:
        return "changed"
    return "set" if has else "cleared"


def _label(change: EnrichedChange) -> str:
    return shortened(change.label, LONGEST_NAME) if change.label else _words(change.field)


def _labels(changes: Sequence[EnrichedChange]) -> str:
    return ", ".join([_label(change) for change in changes[:_NAMED]])


def _why(event: Event) -> str:
    reason = event.outcome_reason
    return f": {shortened(reason, LONGEST_NAME)}" if reason and event.outcome == "failure" else ""


@lru_cache(maxsize=4096)
def _words(name: str) -> str:
    return humanized(name)


@lru_cache(maxsize=4096)
def _sentence_start(action: str) -> str:
    return humanized(action).capitalize()


_PLACEHOLDERS: Mapping[str, _Render] = {
    "action": lambda event, _: _sentence_start(event.action),
    "type": lambda event, _: _words(event.target.type),
    "target": lambda event, _: shortened(event.target.name or event.target.id, LONGEST_NAME),
    "label": lambda _, changes: _label(changes[0]) if changes else "",
    "old": lambda _, changes: shown_value(changes[0].old) if changes else "",
    "new": lambda _, changes: shown_value(changes[0].new) if changes else "",
    "labels": lambda _, changes: _labels(changes),
    "count": lambda _, changes: str(max(0, len(changes) - _NAMED)),
    "why": lambda event, _: _why(event),
}
"""What a template may name."""
