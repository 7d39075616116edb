"""What was added to a list, and what was taken from it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Raw

from audit_schemas.catalogue.model import Happening
from audit_schemas.wording.happened import TOUCHED, Happened, Tell, told_by
from audit_schemas.wording.values import EMPTY, decoded, plain, shortened, shown_value

_NAMED = 3
"""So many items are named; further ones are counted."""
_LONGEST_ITEM = 40


class _Item(NamedTuple):
    identity: str
    """Items are the same when it is."""
    text: str


def list_teller(choices: Mapping[str, str]) -> Tell:
    """Make the function that tells what happened to a list; what is no list is shown as it is.

    Args:
        choices: words for items.
    """
    as_it_is = told_by(shown_value)

    def shown(items: Sequence[_Item]) -> str:
        named = [plain(item.text) for item in items[:_NAMED]]
        words = ", ".join([shortened(choices.get(name, name), _LONGEST_ITEM) for name in named])
        return words if len(items) <= _NAMED else f"{words} and {len(items) - _NAMED} more"

    def tell(old: str, new: str) -> Happened:
        had, has = _items(old), _items(new)
        if had is None or has is None:
            return as_it_is(old, new)
        added, removed = _beyond(has, had), _beyond(had, has)
        if not added and not removed and [item.identity for item in had] == [item.identity for item in has]:
            return TOUCHED
        return Happened(_kind(len(added), len(removed)), shown(had), shown(has), shown(added), shown(removed))

    return tell


def _kind(added: int, removed: int) -> Happening:
    if added and removed:
        return "replaced"
    if added:
        return "added" if added == 1 else "added_many"
    if removed:
        return "removed" if removed == 1 else "removed_many"
    return "reordered"


def _items(text: str) -> list[_Item] | None:
    """A list's items; nothing where it is none."""
    if text in EMPTY:
        return []
    if not text.startswith("["):
        return None
    items = decoded(text, list[Raw], None)
    return None if items is None else [_item(str(item, "utf-8", "replace")) for item in items]


def _item(text: str) -> _Item:
    """An item; two references are the same when their ids are, whatever their names."""
    if text.startswith("{"):
        found = decoded(text, _Reference, None)
        if found is not None and found.id is not msgspec.UNSET:
            return _Item(str(bytes(found.id), "utf-8", "replace"), text)
    return _Item(text, text)


class _Reference(msgspec.Struct, gc=False):
    id: Raw | msgspec.UnsetType = msgspec.UNSET


def _beyond(items: Sequence[_Item], others: Sequence[_Item]) -> list[_Item]:
    """The items of which the others have fewer."""
    left = Counter(item.identity for item in others)
    beyond = []
    for item in items:
        if left[item.identity]:
            left[item.identity] -= 1
        else:
            beyond.append(item)
    return beyond
