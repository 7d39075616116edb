"""The way back: for each target the former values, as a JSON Patch (RFC 6902) that whoever owns it can apply.

Each patch tests first that the values are still those that the events left: one that has been changed
since fails as a whole instead of overwriting that. A member that RFC 6902 does not know (`field`) is
ignored by whoever applies it (section 4).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from audit_schemas.redaction import REDACTED_TEXT


class UndoneTarget(Struct, frozen=True, kw_only=True):
    """What a patch is for."""

    type: str
    id: str
    name: str


class Operation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One operation of a patch."""

    op: str
    path: str
    """A JSON Pointer (RFC 6901): a dot in a field's name goes one level down."""
    value: Raw | UnsetType = UNSET
    field: str | UnsetType = UNSET
    """The field as the log names it."""


class ChangedSince(Struct, frozen=True, kw_only=True):
    """A field that somebody changed again, after what is to be undone."""

    field: str
    at: str
    event_id: str


class Undo(Struct, frozen=True, kw_only=True):
    """The way back of one target."""

    account_id: str
    target: UndoneTarget
    action: str
    """update: put the former values back; delete: it was created; create: it was deleted; none."""
    events: tuple[str, ...]
    """What is undone, newest first."""
    patch: tuple[Operation, ...]
    not_recorded: tuple[str, ...]
    """Fields whose former value the log does not have: secrets, and what a service never said."""
    changed_since: tuple[ChangedSince, ...]


@dataclass(frozen=True, slots=True)
class _Field:
    """A field's value before the oldest and after the newest of the events; JSON text, empty for absent."""

    before: str
    after: str
    at: str
    """Of the newest of them."""
    told: bool
    """Whether each of them says what it changed, and from what."""


def undo_all(rows: Iterable[Mapping[str, Any]]) -> Iterator[Undo]:
    """The way back of each target.

    Args:
        rows: of `undo_query`, of which those of one target stand together, newest first.
    """
    for _, events in groupby(rows, lambda row: (row["account_id"], row["target_type"], row["target_id"])):
        yield undo(list(events))


def undo(events: Sequence[Mapping[str, Any]]) -> Undo:
    """The way back of one target from its events, newest first, at least one."""
    newest, oldest = events[0], events[-1]
    fields = _net(events)
    action = _action(oldest["action_type"], newest["action_type"])
    known = {name: field for name, field in fields.items() if field.told}
    return Undo(
        account_id=newest["account_id"],
        target=UndoneTarget(type=newest["target_type"], id=newest["target_id"], name=newest["target_name"]),
        action=action,
        events=tuple(event["event_id"] for event in events),
        patch=tuple(_patch(action, known)),
        not_recorded=tuple(sorted(fields.keys() - known.keys())) if action in ("update", "create") else (),
        changed_since=tuple(_changed_since(newest["later"], fields)),
    )


def _net(events: Iterable[Mapping[str, Any]]) -> dict[str, _Field]:
    net: dict[str, _Field] = {}
    for event in events:
        # The same field may come twice in one event: the last one is the newest.
        for name, old, new in reversed(event["changed"]):
            later = net.get(name)
            told = bool(old or new) and REDACTED_TEXT not in (old, new)
            if later is None:
                net[name] = _Field(old, new, event["occurred_at"], told)
            else:
                net[name] = replace(later, before=old, told=told and later.told)
    return dict(sorted(net.items()))


def _action(first: str, last: str) -> str:
    made, gone = first == "create", last == "delete"
    if made:
        return "none" if gone else "delete"
    return "create" if gone else "update"


def _patch(action: str, fields: Mapping[str, _Field]) -> Iterator[Operation]:
    if action == "delete":
        yield Operation(op="remove", path="")
    elif action == "create":
        former = {name: Raw(field.before.encode()) for name, field in fields.items() if field.before}
        yield Operation(op="add", path="", value=Raw(msgspec.json.encode(former)))
    elif action == "update":
        changed = {name: field for name, field in fields.items() if field.before != field.after}
        for name, field in changed.items():
            if field.after:
                yield Operation(op="test", path=pointer(name), value=Raw(field.after.encode()), field=name)
        for name, field in changed.items():
            yield _back(name, field)


def _back(name: str, field: _Field) -> Operation:
    if not field.before:
        return Operation(op="remove", path=pointer(name), field=name)
    op = "replace" if field.after else "add"
    return Operation(op=op, path=pointer(name), value=Raw(field.before.encode()), field=name)


def pointer(field: str) -> str:
    """A field's name as a JSON Pointer: `address.city` is /address/city."""
    parts = (part.replace("~", "~0").replace("/", "~1") for part in field.split("."))
    return "".join(f"/{part}" for part in parts)


def _changed_since(
    later: Iterable[tuple[str, str, str]], fields: Mapping[str, _Field]
) -> Iterator[ChangedSince]:
    for name, at, event_id in sorted(later):
        if name in fields and at > fields[name].at:
            yield ChangedSince(field=name, at=at, event_id=event_id)
