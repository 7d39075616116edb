"""What happened to one field, told by its old and its new value."""

from collections.abc import Callable
from typing import NamedTuple

from audit_schemas.catalogue.model import Happening
from audit_schemas.wording.values import Show


class Happened(NamedTuple):
    """What happened, and the texts that a template may show of it."""

    kind: Happening
    old: str = ""
    new: str = ""
    added: str = ""
    """Of a list: the items that are new."""
    removed: str = ""


Tell = Callable[[str, str], Happened]
"""From the JSON texts of old and new."""

TOUCHED = Happened("touched")
"""It changed, but in nothing that a sentence shows."""


def told_by(show: Show) -> Tell:
    """Make the function that tells what happened to a value, by how it is shown.

    Values that are shown alike have changed beyond what a sentence shows: a long text at its end.
    """

    def tell(old: str, new: str) -> Happened:
        had, has = show(old), show(new)
        if had == has:
            return TOUCHED
        if had and has:
            return Happened("changed", had, has)
        return Happened("set" if has else "cleared", had, has)

    return tell


def switch_teller(show: Show) -> Tell:
    """Make the function that tells what happened to something that is on or off."""
    otherwise = told_by(show)

    def tell(old: str, new: str) -> Happened:
        if old == new or new not in ("true", "false"):
            return otherwise(old, new)
        return Happened("turned_on" if new == "true" else "turned_off", show(old), show(new))

    return tell


def secret_told(_old: str, _new: str) -> Happened:
    """A secret shows only that it changed: not even whether there was one."""
    return TOUCHED
