"""From what a service says to the bytes of an event: lean, redacted, and checked as its readers will."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from msgspec import UNSET, Raw

from audit_producers.context import Bound
from audit_producers.errors import TooLarge
from audit_producers.ids import id_of_key, uuid7
from audit_producers.lean import lean
from audit_producers.redaction import is_secret_path, redacted, without_secrets
from audit_schemas.errors import Invalid
from audit_schemas.event import Actor, Change, Event, Origin, Outcome, Target
from audit_schemas.json_text import to_json_text
from audit_schemas.topics import SDK_LIMIT
from audit_schemas.validation import read_draft
from audit_schemas.wire import encode

Changes = Iterable[Change] | Mapping[str, tuple[Any, Any]]
"""Changes, or field -> (old, new) for short; any value that has a JSON text."""

NEEDS_TIME = (
    "idempotency_key: needs occurred_at as well: a stored event is known by account, time and id, "
    "so a retry must carry the same time"
)

PRODUCER_ROOM = 1024
"""Left below the limit for the producer's part, which is added at publication."""


class Circumstances(TypedDict, total=False):
    """What every recording call takes beside its subject and its actor."""

    account: str
    """Left out: the bound one, as with `origin`."""
    origin: Origin
    occurred_at: datetime
    """With its zone; now, when left out."""
    outcome: Outcome
    outcome_reason: str
    """Why it failed, in the service's words."""
    related: Iterable[Target]
    module: str
    reason: str
    """Why it was done, in the actor's words."""
    metadata: Mapping[str, Any]
    idempotency_key: str
    """The service's own name of the event; the id is derived from it, so that a retry is no second event."""


class About(Circumstances, total=False):
    """What most recording calls take beside their subject."""

    actor: Actor
    """Left out: the bound one."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What an event takes from around the call."""

    service: str
    bound: Bound
    now: datetime


def drafted(
    action: str, target: Target, changes: Changes, about: About, setting: Setting
) -> tuple[Event, bytes]:
    """Make an event.

    Returns:
        The event and its JSON, without a producer.

    Raises:
        Invalid: naming what is wrong with it; TooLarge, its subclass, beyond the limit of the SDK.
        ValueError, TypeError: a value has no JSON text.
    """
    said: dict[str, Any] = {**setting.bound, **about}
    fields = {
        "id": _id(said, setting.service),
        "occurred_at": setting.now,
        "action": action,
        "target": lean(target),
        **{name: lean(value) for name, value in said.items() if value is not None},
    }
    if told := [written_change(change) for change in _listed(changes)]:
        fields["changes"] = told
    if "related" in fields:
        fields["related"] = [lean(one) for one in fields["related"]]
    if "metadata" in fields:
        fields["metadata"] = without_secrets(to_json_text(fields["metadata"]))
    return checked(encode(fields))


def checked(body: bytes) -> tuple[Event, bytes]:
    """Read an event's bytes as its readers will, and see that they fit.

    Raises:
        Invalid: as `drafted` does.
    """
    if len(body) > SDK_LIMIT - PRODUCER_ROOM:
        raise TooLarge(
            f"the event has {len(body):,} bytes; at most {SDK_LIMIT - PRODUCER_ROOM:,} are sent",
            remedy="record less of it, or split it into several events",
        )
    return read_draft(body), body


def _id(said: Mapping[str, Any], service: str) -> Any:
    key = said.get("idempotency_key")
    if key is None:
        return uuid7()
    if said.get("occurred_at") is None:
        raise Invalid(NEEDS_TIME)
    return id_of_key(str(said.get("account")), service, str(key))


def _listed(changes: Changes) -> Iterable[Change]:
    if isinstance(changes, Mapping):
        return (Change(field=field, old=old, new=new) for field, (old, new) in changes.items())
    return changes


def written_change(change: Change) -> dict[str, Any]:
    """A change's fields, its values as JSON text without secrets."""
    clean = redacted if is_secret_path(change.field) else without_secrets
    fields: dict[str, Any] = {"field": change.field}
    if change.label is not None:
        fields["label"] = change.label
    for name, value in (("old", change.old), ("new", change.new)):
        if value is not UNSET:
            fields[name] = clean(value if isinstance(value, Raw) else to_json_text(value))
    return fields
