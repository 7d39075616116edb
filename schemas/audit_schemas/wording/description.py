"""The sentence that the log shows of an event, by the catalogue's templates.

The most particular template is taken: that of the type's field, of the field in every type, of the
target's type, or the general one.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

from audit_schemas.catalogue import Catalogue
from audit_schemas.enriched import EnrichedChange
from audit_schemas.event import Event
from audit_schemas.wording.fields import Find, field_finder
from audit_schemas.wording.happened import Happened
from audit_schemas.wording.templates import Render, Sentences, Subject, sentences
from audit_schemas.wording.values import LONGEST_NAME, humanized, shortened

Describe = Callable[[Event, Sequence[EnrichedChange]], tuple[str, str]]
"""The template's key and the sentence."""

_NAMED = 3
"""So many changed fields are named; further ones are counted."""
_NOTHING = Happened("update")
_MANY = Happened("changed_many")
_LOTS = Happened("changed_lots")


def describer(catalogue: Catalogue, find: Find | None = None) -> Describe:
    """Make the function that describes events, by a catalogue's templates.

    Args:
        catalogue: templates and the words of target types.
        find: what is known of fields, where somebody else looks it up as well.
    """
    known = find or field_finder(catalogue)
    templates = sentences(catalogue)

    @lru_cache(maxsize=4096)
    def words_of(target_type: str) -> str:
        target = catalogue.targets.get(target_type)
        return (target and target.words) or humanized(target_type)

    def describe(event: Event, changes: Sequence[EnrichedChange]) -> tuple[str, str]:
        target_type = event.target.type
        happened = _happened(event, changes, known)
        labels = [
            shortened(change.label, LONGEST_NAME) if change.label else known(target_type, change.field).words
            for change in changes[:_NAMED]
        ]
        subject = Subject(event, words_of(target_type), labels, len(changes) - len(labels), happened)
        key, render = _template(event, changes, happened, templates)
        sentence = render(subject)
        if event.outcome == "success" or event.action == "login":
            return key, sentence
        key, render = templates.of_change(target_type, "", "failed")
        return key, render(subject._replace(sentence=sentence))

    return describe


def _happened(event: Event, changes: Sequence[EnrichedChange], known: Find) -> Happened:
    if event.action != "update" or not changes:
        return _NOTHING
    if len(changes) > 1:
        return _MANY if len(changes) <= _NAMED else _LOTS
    change = changes[0]
    return known(event.target.type, change.field).tell(change.old, change.new)


def _template(
    event: Event, changes: Sequence[EnrichedChange], happened: Happened, templates: Sentences
) -> tuple[str, Render]:
    if event.action == "update":
        field = changes[0].field if len(changes) == 1 else ""
        return templates.of_change(event.target.type, field, happened.kind)
    if event.action == "login" and event.outcome == "failure":
        return templates.of_change(event.target.type, "", "login_failed")
    return templates.of_action(event.target.type, event.action)
