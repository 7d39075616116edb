"""Stored events are worded anew as the processor would have worded them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from documents import EVENT
from hypothesis import given

from audit_schemas.catalogue import Catalogue, Rule, catalogue, catalogue_of
from audit_schemas.enriched import EnrichedChange
from audit_schemas.errors import Misconfigured
from audit_schemas.event import Event
from audit_schemas.wire import decode_event, encode
from audit_schemas.wording.description import describer
from audit_schemas.wording.module import module_rules
from audit_sinks.reenriching.rewording import Stored, Wording, rewording


def changed(version: int = 2, **given: Any) -> Catalogue:
    return catalogue().model_copy(update={"version": version, **given})


NEWER = changed(
    modules={**catalogue().modules, "crm": "CRM"},
    rules=(Rule(module="crm", target_types=frozenset({"contact"})), *catalogue().rules),
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


def stored(event: Event) -> Stored:
    """The row of an event as ClickHouse sends it."""
    wording, texts, noted = enriched(event)
    target, actor = event.target, event.actor
    row = (
        1,
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
    return rewording(NEWER, catalogue_of)


@given(EVENT)
def test_a_row_holds_all_that_module_and_sentence_are_made_of(document: dict[str, Any]) -> None:
    given = {**document, "id": "01890000-0000-7000-8000-000000000001", "occurred_at": "2026-01-01T00:00:00Z"}
    event, _ = decode_event(encode(given))
    assert enriched(event)[0] == rewording(changed(), catalogue_of)(stored(event))


def test_rules_and_templates_of_the_newer_catalogue_decide(reword: Callable[[Stored], Wording]) -> None:
    assert Wording("crm", "phone of c-1: 1 became 2", "changed") == reword(stored(event()))


def test_a_module_that_the_producer_named_stays(reword: Callable[[Stored], Wording]) -> None:
    assert reword(stored(event(module="developer"))).module == "developer"


def test_a_named_module_that_only_the_newer_catalogue_knows_is_believed_now(
    reword: Callable[[Stored], Wording],
) -> None:
    assert reword(stored(event(module="crm", target={"type": "role", "id": "1"}))).module == "crm"


def test_a_named_module_that_the_newer_catalogue_has_not_gives_way_to_its_rules() -> None:
    fewer = changed(
        modules={key: title for key, title in catalogue().modules.items() if key != "developer"},
        rules=tuple(rule for rule in catalogue().rules if rule.module != "developer"),
    )
    assert rewording(fewer, catalogue_of)(stored(event(module="developer"))).module == "contacts"


def test_an_imported_event_does_not_enter_the_contacts_but_leaves_them() -> None:
    into = changed(rules=(Rule(module="contacts", target_types=frozenset({"contact"})),))
    other = event(module="developer", recorded="backfill")
    row = stored(other)
    row.notes.append("unknown module: contacts")  # what it was named, so that the newer catalogue moves it
    assert rewording(into, catalogue_of)(row).module == "developer"
    left = rewording(NEWER, catalogue_of)(stored(event(recorded="backfill")))
    assert left.module == "crm"


def test_an_unknown_earlier_catalogue_is_not_guessed(reword: Callable[[Stored], Wording]) -> None:
    row = stored(event())
    row.catalogue_version = 999
    with pytest.raises(Misconfigured, match="the catalogue 999 is not known"):
        reword(row)
