"""The module and the sentence of a stored event by another catalogue, only from what its row holds.

A row does not say whether the rules decided its module or its producer named it. The catalogue that
worded the row tells: where its rules decide otherwise, the producer named it, and its word stays.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, cast

import msgspec

from audit_schemas.catalogue import Catalogue
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
    module: str | None = None
    """What the producer named; not sent, but found out."""


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
    notes))"""
"""One row as JSON. A sentence shows old and new of the first change at most, and they may be large."""

Reword = Callable[[Stored], Wording]


def rewording(catalogue: Catalogue, earlier: Callable[[int], Catalogue]) -> Reword:
    """Make the function that words stored events anew.

    Args:
        catalogue: the one to word by.
        earlier: the catalogue of a version that rows have; raises Misconfigured where it is not known.
    """
    decide, describe = module_rules(catalogue), describer(catalogue)
    deciders: dict[int, Decide] = {}

    def reword(stored: Stored) -> Wording:
        version = stored.catalogue_version
        if version not in deciders:
            deciders[version] = module_rules(earlier(version))
        event = cast("Event", stored)
        stored.module = _named(stored, deciders[version])
        module, _ = decide(event)
        key, sentence = describe(event, cast("Any", stored.changes))
        return Wording(_admitted(stored, module), sentence, key)

    return reword


def _named(stored: Stored, decide: Decide) -> str | None:
    """The module that the producer named; nothing where it named none, or what the rules decided anyway."""
    for text in stored.notes:
        if phrase_of(text) == UNKNOWN_MODULE:
            return value_of(text)
    decided, _ = decide(cast("Event", stored))
    return None if decided == stored.was.module else stored.was.module


def _admitted(stored: Stored, module: str) -> str:
    """The module, unless it would claim what was decided for good when the event came.

    Whether an imported event is in its contact's activity was decided by its module; nobody adds it later.
    """
    enters = module == CONTACTS != stored.was.module
    imported = stored.recorded == "backfill" and stored.target.type == CONTACT
    return stored.was.module if enters and imported else module
