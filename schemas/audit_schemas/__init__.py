"""The messages, the topics and the catalogue: the one thing that every part of Auditlane knows."""

from audit_schemas.directory import Account, DirectoryActor
from audit_schemas.errors import AuditError
from audit_schemas.event import Actor, Change, Event, Origin, Principal, Producer, Target

__all__ = [
    "Account",
    "Actor",
    "AuditError",
    "Change",
    "DirectoryActor",
    "Event",
    "Origin",
    "Principal",
    "Producer",
    "Target",
]
