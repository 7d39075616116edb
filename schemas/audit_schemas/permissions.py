"""Who may read the audit log and who may take it away, as a helpdesk's roles name it."""

from collections.abc import Collection
from enum import StrEnum

from audit_schemas.event import ActorType


class Permission(StrEnum):
    """A permission by its title; an actor's entry in the directory lists those that it has."""

    ACTIVITY = "View Contact activity"
    """What happened to a contact, once its window is over."""
    VIEW = "View Audit logs"
    EXPORT = "View and Export Audit logs"


_IMPLIED = {
    Permission.ACTIVITY: frozenset(Permission),
    Permission.VIEW: frozenset({Permission.VIEW, Permission.EXPORT}),
    Permission.EXPORT: frozenset({Permission.EXPORT}),
}
"""Who may read the whole log may read the part of it that is a contact's activity."""

_STAFF = frozenset({"agent", "admin"})


def default_permissions(actor: ActorType) -> tuple[str, ...]:
    """The titles that an actor of this type has as long as nobody has listed its own."""
    return (Permission.ACTIVITY.value,) if actor in _STAFF else ()


def permits(held: Collection[str], needed: Permission) -> bool:
    """Whether somebody with the permissions `held` may do what `needed` stands for."""
    return not _IMPLIED[needed].isdisjoint(held)
