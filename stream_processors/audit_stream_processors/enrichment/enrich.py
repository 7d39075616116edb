"""Makes the enriched event of an event: all that the log shows of it, decided once."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

from msgspec import UNSET, Raw, UnsetType

from audit_schemas.catalogue import Catalogue
from audit_schemas.enriched import EnrichedChange, EnrichedEvent, NamedPart
from audit_schemas.errors import Invalid
from audit_schemas.event import Actor, Event
from audit_schemas.redaction import redacted_text
from audit_schemas.wire import struct_of
from audit_schemas.wording.description import describer
from audit_schemas.wording.fields import Find, field_finder
from audit_schemas.wording.module import module_rules
from audit_schemas.wording.notes import BARE_SECRET, OUT_OF_RANGE, note
from audit_stream_processors.enrichment.lean import lean
from audit_stream_processors.enrichment.network import Locate, network_of
from audit_stream_processors.enrichment.origin import enriched_origin
from audit_stream_processors.enrichment.time_range import believed_time
from audit_stream_processors.windows.stamp import Window, window_at

Complete = Callable[[str, Actor], Actor]
"""Completes an account's actor from the directory."""
Enrich = Callable[[Event, str, int, int, datetime], EnrichedEvent]
"""From event, unknown fields, partition, offset and append time; raises Invalid."""

CONTACTS = "contacts"
CONTACT = "contact"


_Event = cast("type[EnrichedEvent]", lean(EnrichedEvent, always=("metadata",)))
_Change = cast("type[EnrichedChange]", lean(EnrichedChange))
_Actor: Any = struct_of(Actor, strict=True)

# What of the wording is the producer's own, which no newer catalogue may overrule: module, labels.
_NAMED: Mapping[tuple[bool, bool], tuple[NamedPart, ...]] = {
    (False, False): (),
    (True, False): ("module",),
    (False, True): ("labels",),
    (True, True): ("module", "labels"),
}


def enricher(
    catalogue: Catalogue, complete: Complete, *, window_seconds: int, locate: Locate = network_of
) -> Enrich:
    """Make the function that enriches.

    Args:
        catalogue: modules, rules and sentences.
        complete: completes actors.
        window_seconds: the length of the windows of contact changes.
        locate: finds the place of an address.
    """
    module_of = module_rules(catalogue)
    find = field_finder(catalogue)
    describe = describer(catalogue, find)
    version = catalogue.version

    def enrich(event: Event, extra: str, partition: int, offset: int, received_at: datetime) -> EnrichedEvent:
        occurred_at, claimed_at = believed_time(event.occurred_at, received_at, event.recorded)
        module, module_note = module_of(event)
        origin, origin_note = enriched_origin(event.origin, locate)
        changes, labelled, secret_notes = _enriched_changes(event, find)
        description_key, description = describe(event, changes)
        window = window_of(event, module, received_at, window_seconds)
        time_note = None if claimed_at is None else note(OUT_OF_RANGE)
        return _Event(
            id=event.id,
            account=event.account,
            occurred_at=occurred_at,
            claimed_at=claimed_at,
            received_at=received_at,
            window=window and window.start,
            window_end=window and window.end,
            module=module,
            description=description,
            description_key=description_key,
            catalogue_version=version,
            named_by_producer=_NAMED[event.module is not None and module_note is None, labelled],
            actor=complete(event.account, event.actor),
            action=event.action,
            outcome=event.outcome,
            outcome_reason=event.outcome_reason,
            target=event.target,
            related=event.related,
            changes=changes,
            origin=origin,
            reason=event.reason,
            metadata=_object_text(event.metadata),
            idempotency_key=event.idempotency_key,
            recorded=event.recorded,
            producer=event.producer,
            source_partition=partition,
            source_offset=offset,
            notes=tuple([text for text in (time_note, module_note, origin_note, *secret_notes) if text]),
            extra=extra,
        )

    return enrich


def window_of(event: Event, module: str, received_at: datetime, length: int) -> Window | None:
    """The window of a contact's change: the one in which the broker received it.

    A backfill has none: years of history do not wait for a window. Nothing for all other events.
    """
    if module != CONTACTS or event.target.type != CONTACT or event.recorded == "backfill":
        return None
    return window_at(received_at.timestamp(), length)


def is_history(event: EnrichedEvent) -> bool:
    """Whether an event belongs to a contact's activity without waiting for a window."""
    return event.recorded == "backfill" and event.module == CONTACTS and event.target.type == CONTACT


def completed(actor: Actor, name: str, email: str) -> Actor:
    """An actor with what the directory knows of it; what the event itself says stays.

    Otherwise reading the same event again later would rewrite the past.
    """
    return cast(
        "Actor",
        _Actor(
            type=actor.type,
            id=actor.id,
            name=actor.name or name or None,
            email=actor.email or email or None,
            on_behalf_of=actor.on_behalf_of,
        ),
    )


def _enriched_changes(event: Event, find: Find) -> tuple[tuple[EnrichedChange, ...], bool, list[str]]:
    """The changes with the catalogue's labels where they have none.

    Returns:
        The changes, whether any has a label of its producer's, and a note of each secret that came bare.
    """
    changes, notes, labelled, target_type = [], [], False, event.target.type
    for change in event.changes:
        label, _, secret, _ = find(target_type, change.field)
        old, new = _value_text(change.old), _value_text(change.new)
        if change.label:
            label, labelled = change.label, True
        if secret and (old, new) != (redacted_text(old), redacted_text(new)):
            old, new = redacted_text(old), redacted_text(new)
            notes.append(note(BARE_SECRET, change.field))
        changes.append(_Change(field=change.field, label=label, old=old, new=new))
    return tuple(changes), labelled, notes


def _value_text(value: Raw | UnsetType) -> str:
    return "" if value is UNSET else str(value, "utf-8")


def _object_text(value: Raw) -> str:
    text = str(value, "utf-8")
    if not text.startswith("{"):
        raise Invalid("metadata must be an object")
    return text
