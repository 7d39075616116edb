"""What the SDK raises; the class names the remedy.

AuditError
├── Invalid
│   └── TooLarge      an event beyond the limit of the SDK: record less, or split it
├── Unreachable
│   └── QueueFull     events come faster than they are acknowledged: slow down, or try again later
└── Closed            the recorder was closed: record before, or make another
"""

from audit_schemas.errors import AuditError, Invalid, Unreachable


class TooLarge(Invalid):
    """The encoded event is larger than what Kafka's topics are laid out for."""


class QueueFull(Unreachable):
    """The bounded queue has no room; the event was not taken over."""


class Closed(AuditError):
    """The recorder takes no more events."""
