"""The module and the sentence of a stored event by another catalogue, only from what its row holds.

What the producer named itself stays its word: the row says what that was. A row of catalogue 1 does not:
its producer named the module where that catalogue's rules decide otherwise, and all of its labels, since
that catalogue had none.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, cast

import msgspec

from audit_schemas.catalogue import Catalogue, first_catalogue
from audit_schemas.enriched import NamedPart
from audit_schemas.event import Event
from audit_schemas.wording.description import describer
from audit_schemas.wording.module import Decide, module_rules
from audit_schemas.wording.notes import UNKNOWN_MODULE, phrase_of, value_of

CONTACTS = "contacts"
CONTACT = "contact"


class _Target(msgspec.Struct, array_like=True, gc=False):
    type: str
    id: str
    name: str


class _Actor(msgspec.Struct, array_like=True, gc=False):
    type: str
    id: str


class _Change(msgspec.Struct, array_like=True, gc=False):
    field: str
    label: str
    old: str
    new: str


class Stored(msgspec.Struct, array_like=True, gc=False):
    """What of a row decides module and sentence, as ClickHouse sends it: see SELECTED.

    The rules and the templates read it as they read an event: they look at nothing else of one.
    """

    catalogue_version: int
    was: "Wording"
    action: str
    outcome: str
    outcome_reason: str
    recorded: Literal["live", "backfill"]
    target: _Target
    actor: _Actor
    changes: list[_Change]
    notes: list[str]
    named_by_producer: list[NamedPart]
    module: str | None = None
    """What the producer named; not sent, but read from the above."""


class Wording(NamedTuple):
    """What a catalogue makes of an event."""

    module: str
    description: str
    description_key: str


SELECTED = """toJSONString((
    catalogue_version, (module, description, description_key),
    action_type, outcome, outcome_reason, recorded,
    (target_type, target_id, target_name), (actor_type, actor_id),
    arrayMap((c, n) -> (c.field, c.label, if(n = 1, c.old, ''), if(n = 1, c.new, '')),
        changes, arrayEnumerate(changes)),
    notes, named_by_producer))"""
"""One row as JSON. A sentence shows old and new of the first change at most, and they may be large."""

Reword = Callable[[Stored], tuple[Wording, list[NamedPart]]]
"""To the wording, and what of it the producer named."""


def rewording(catalogue: Catalogue) -> Reword:
    """Make the function that words stored events anew, by another catalogue than theirs."""
    decide, describe = module_rules(catalogue), describer(catalogue)
    first = first_catalogue()
    decide_first = module_rules(first)

    def reword(stored: Stored) -> tuple[Wording, list[NamedPart]]:
        event = cast("Event", stored)
        if stored.catalogue_version == first.version:
            stored.named_by_producer = _named(stored, decide_first)
        stored.module = _given_module(stored)
        module, unknown = decide(event)
        named: list[NamedPart] = ["module"] if stored.module and not unknown else []
        if "labels" in stored.named_by_producer:
            named.append("labels")
        key, sentence = describe(event, _labelled(stored))
        return Wording(_admitted(stored, module), sentence, key), named

    return reword


def _named(stored: Stored, decide: Decide) -> list[NamedPart]:
    """What the producer named itself, of a row that does not say so; a module by the rules of then."""
    decided, _ = decide(cast("Event", stored))
    module: list[NamedPart] = [] if decided == stored.was.module else ["module"]
    return [*module, "labels"] if any(change.label for change in stored.changes) else module


def _given_module(stored: Stored) -> str | None:
    """The module that the producer named, be it that nobody knew it then."""
    for text in stored.notes:
        if phrase_of(text) == UNKNOWN_MODULE:
            return value_of(text)
    return stored.was.module if "module" in stored.named_by_producer else None


def _labelled(stored: Stored) -> Any:
    """The changes with the labels that are the producer's: all others are the catalogue's to say."""
    if "labels" not in stored.named_by_producer:
        for change in stored.changes:
            change.label = ""
    return stored.changes


def _admitted(stored: Stored, module: str) -> str:
    """The module, unless it would claim what was decided for good when the event came.

    Whether an imported event is in its contact's activity was decided by its module; nobody adds it later.
    """
    enters = module == CONTACTS != stored.was.module
    imported = stored.recorded == "backfill" and stored.target.type == CONTACT
    return stored.was.module if enters and imported else module
