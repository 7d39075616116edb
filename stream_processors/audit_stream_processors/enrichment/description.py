"""The sentence that the log shows of an event, by the catalogue's templates."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from audit_schemas.catalogue import Catalogue
from audit_schemas.enriched import EnrichedChange
from audit_schemas.event import Event
from audit_stream_processors.enrichment.values import (
    EMPTY,
    LONGEST_NAME,
    humanized,
    shortened,
    shown_value,
)

Describe = Callable[[Event, Sequence[EnrichedChange]], tuple[str, str]]
"""The template's key and the sentence."""

_OWN_KIND = frozenset({"create", "delete", "view", "export", "logout"})
"""Actions with a sentence of their own, whatever has changed."""
_NAMED = 3
"""So many changed fields are named; further ones are counted."""


def describer(catalogue: Catalogue) -> Describe:
    """Make the function that describes events, by a catalogue's templates.

    Raises:
        KeyError: a template has a placeholder that does not exist.
    """
    templates = {key: text.format for key, text in catalogue.templates.items()}
    for template in templates.values():
        template(**_BLANK, sentence="")

    @lru_cache(maxsize=4096)
    def template_of(target_type: str, kind: str) -> tuple[str, Callable[..., str]]:
        specific = f"{target_type}.{kind}"
        key = specific if specific in templates else kind
        return key, templates[key]

    def describe(event: Event, changes: Sequence[EnrichedChange]) -> tuple[str, str]:
        kind = kind_of(event, changes)
        key, template = template_of(event.target.type, kind)
        sentence = template(**_details(event, changes, kind))
        if event.outcome == "success" or kind == "login_failed":
            return key, sentence
        failed, template = template_of(event.target.type, "failed")
        return failed, template(sentence=sentence, why=_why(event))

    return describe


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


_BLANK = dict.fromkeys(("action", "type", "target", "label", "old", "new", "labels", "count", "why"), "")


def _details(event: Event, changes: Sequence[EnrichedChange], kind: str) -> Mapping[str, str]:
    """What the template of a kind may name."""
    target = event.target
    details = {
        **_BLANK,
        "action": _sentence_start(event.action),
        "type": _words(target.type),
        "target": shortened(target.name or target.id, LONGEST_NAME),
        "why": "" if event.outcome == "success" else _why(event),
    }
    if kind in _ONE_CHANGE:
        change = changes[0]
        details["label"] = _label(change)
        details["old"] = shown_value(change.old)
        details["new"] = shown_value(change.new)
    elif kind in _MANY_CHANGES:
        details["labels"] = ", ".join([_label(change) for change in changes[:_NAMED]])
        details["count"] = str(len(changes) - _NAMED)
    return details


_ONE_CHANGE = frozenset({"changed", "set", "cleared", "touched"})
_MANY_CHANGES = frozenset({"changed_many", "changed_lots"})


def _label(change: EnrichedChange) -> str:
    return shortened(change.label, LONGEST_NAME) if change.label else _words(change.field)


def _why(event: Event) -> str:
    return f": {shortened(event.outcome_reason, LONGEST_NAME)}" if event.outcome_reason else ""


@lru_cache(maxsize=4096)
def _words(name: str) -> str:
    return humanized(name)


@lru_cache(maxsize=4096)
def _sentence_start(action: str) -> str:
    return humanized(action).capitalize()
