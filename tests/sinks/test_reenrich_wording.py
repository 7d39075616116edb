"""Stored events are worded anew as the processor would have worded them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from documents import EVENT
from hypothesis import given

from audit_schemas.catalogue import Catalogue, Field, Rule, TargetType, catalogue, first_catalogue
from audit_schemas.enriched import EnrichedChange
from audit_schemas.event import Event
from audit_schemas.wire import decode_event, encode
from audit_schemas.wording.description import describer
from audit_schemas.wording.module import module_rules
from audit_sinks.reenriching.rewording import Stored, Wording, rewording


def changed(version: int = 2001, **given: Any) -> Catalogue:
    return catalogue().model_copy(update={"version": version, **given})


NEWER = changed(
    modules={**catalogue().modules, "crm": "CRM"},
    rules=(Rule(module="crm", target_types=frozenset({"contact"})), *catalogue().rules),
    targets={"contact": TargetType(module="contacts", fields={"phone": Field(label="Telephone")})},
    templates={**catalogue().templates, "changed": "{label} of {target}: {old} became {new}"},
)


def enriched(event: Event, by: Catalogue = catalogue()) -> tuple[Wording, list[EnrichedChange], str | None]:  # noqa: B008 - a constant
    """What the processor makes of an event: its wording, its changes' texts, its note."""
    texts = [
        EnrichedChange(
            field=change.field,
            label=change.label,
            old="" if change.old is msgspec.UNSET else bytes(change.old).decode(),
            new="" if change.new is msgspec.UNSET else bytes(change.new).decode(),
        )
        for change in event.changes
    ]
    module, noted = module_rules(by)(event)
    key, sentence = describer(by)(event, texts)
    return Wording(module, sentence, key), texts, noted


def stored(event: Event, version: int = 2000) -> Stored:
    """The row of an event as ClickHouse sends it; one of catalogue 1 does not say what its producer named."""
    wording, texts, noted = enriched(event)
    labelled = any(change.label for change in event.changes)
    named = ["module"] * (event.module is not None and noted is None) + ["labels"] * labelled
    target, actor = event.target, event.actor
    row = (
        version,
        wording,
        event.action,
        event.outcome,
        event.outcome_reason or "",
        event.recorded,
        (target.type, target.id, target.name or ""),
        (actor.type, actor.id or ""),
        [
            (text.field, text.label or "", *((text.old, text.new) if number == 0 else ("", "")))
            for number, text in enumerate(texts)
        ],
        [noted] if noted else [],
        named if version > 1 else [],
    )
    return msgspec.json.decode(encode(row), type=Stored)


def event(**given: Any) -> Event:
    document = {
        "id": "01890000-0000-7000-8000-000000000001",
        "account": "acme",
        "occurred_at": datetime(2026, 1, 1, tzinfo=UTC),
        "action": "update",
        "target": {"type": "contact", "id": "c-1"},
        "changes": [{"field": "phone", "old": "1", "new": "2"}],
        **given,
    }
    return decode_event(encode(document))[0]


@pytest.fixture
def reword() -> Callable[[Stored], Wording]:
    again = rewording(NEWER)
    return lambda row: again(row)[0]


@given(EVENT)
def test_a_row_holds_all_that_module_and_sentence_are_made_of(document: dict[str, Any]) -> None:
    given = {**document, "id": "01890000-0000-7000-8000-000000000001", "occurred_at": "2026-01-01T00:00:00Z"}
    event, _ = decode_event(encode(given))
    assert enriched(event)[0] == rewording(changed())(stored(event))[0]


def test_rules_and_templates_of_the_newer_catalogue_decide(reword: Callable[[Stored], Wording]) -> None:
    assert Wording("crm", "Telephone of c-1: 1 became 2", "changed") == reword(stored(event()))


def test_a_module_that_the_producer_named_stays(reword: Callable[[Stored], Wording]) -> None:
    assert reword(stored(event(module="developer"))).module == "developer"


def test_a_named_module_that_only_the_newer_catalogue_knows_is_believed_now(
    reword: Callable[[Stored], Wording],
) -> None:
    assert reword(stored(event(module="crm", target={"type": "role", "id": "1"}))).module == "crm"


def test_a_named_module_that_the_newer_catalogue_has_not_gives_way_to_its_rules() -> None:
    fewer = changed(
        modules={key: title for key, title in catalogue().modules.items() if key != "developer"},
    )
    assert rewording(fewer)(stored(event(module="developer")))[0].module == "contacts"


def test_an_imported_event_does_not_enter_the_contacts_but_leaves_them() -> None:
    into = changed(rules=(Rule(module="contacts", target_types=frozenset({"contact"})),))
    other = event(module="developer", recorded="backfill")
    row = stored(other)
    row.notes.append("unknown module: contacts")  # what it was named, so that the newer catalogue moves it
    assert rewording(into)(row)[0].module == "developer"
    left = rewording(NEWER)(stored(event(recorded="backfill")))[0]
    assert left.module == "crm"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, []),
        ({"module": "developer"}, ["module"]),
        ({"changes": [{"field": "phone", "label": "Called at"}]}, ["labels"]),
        ({"module": "developer", "changes": [{"field": "phone", "label": "x"}]}, ["module", "labels"]),
    ],
)
@pytest.mark.parametrize("version", [1, 2000])
def test_what_the_producer_named_is_known_of_every_row(given: Any, named: list[str], version: int) -> None:
    assert named == rewording(NEWER)(stored(event(**given), version))[1]


def test_a_label_of_the_producers_stays_and_one_of_a_catalogue_gives_way() -> None:
    own = event(changes=[{"field": "phone", "label": "Called at", "old": "1", "new": "2"}])
    assert rewording(NEWER)(stored(own))[0].description == "Called at of c-1: 1 became 2"
    row = stored(event())
    row.changes[0].label = "Primary phone number"  # as the processor fills it in
    assert rewording(NEWER)(row)[0].description == "Telephone of c-1: 1 became 2"


def test_the_first_catalogues_rules_are_asked_for_its_rows_alone() -> None:
    """A type that only later catalogues know: its module is no word of the producer's."""
    macro = event(target={"type": "macro", "id": "1"})
    assert rewording(NEWER)(stored(macro))[1] == []
    row = stored(macro, first_catalogue().version)
    assert rewording(NEWER)(row)[1] == ["module"]
