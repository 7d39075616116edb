"""Who may read the audit log and who may take it away, as a helpdesk's roles name it."""

from collections.abc import Collection
from enum import StrEnum


class Permission(StrEnum):
    """A permission by its title; an actor's entry in the directory lists those that it has."""

    VIEW = "View Audit logs"
    EXPORT = "View and Export Audit logs"


_IMPLIED = {Permission.VIEW: frozenset(Permission), Permission.EXPORT: frozenset({Permission.EXPORT})}


def permits(held: Collection[str], needed: Permission) -> bool:
    """Whether somebody with the permissions `held` may do what `needed` stands for."""
    return not _IMPLIED[needed].isdisjoint(held)
