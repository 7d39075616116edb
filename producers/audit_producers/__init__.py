"""Auditlane's SDK: what a service calls to record who changed what."""

from audit_producers.errors import Closed, QueueFull, TooLarge
from audit_producers.recorder import Recorder, Rejected
from audit_producers.settings import Settings
from audit_producers.targets import Describes, Kind
from audit_schemas.errors import AuditError, Invalid
from audit_schemas.event import Actor, Change, Origin, Principal, Target

__all__ = [
    "Actor",
    "AuditError",
    "Change",
    "Closed",
    "Describes",
    "Invalid",
    "Kind",
    "Origin",
    "Principal",
    "QueueFull",
    "Recorder",
    "Rejected",
    "Settings",
    "Target",
    "TooLarge",
]
