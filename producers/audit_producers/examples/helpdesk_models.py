"""What a helpdesk works with: plain classes of a service, which know nothing of the audit log."""

from dataclasses import dataclass, field


@dataclass
class Contact:
    """Somebody who writes to the helpdesk."""

    id: str
    name: str
    email: str
    phone: str | None = None
    company: str | None = None
    custom_fields: dict[str, str] = field(default_factory=dict)


@dataclass
class Agent:
    """Somebody who answers."""

    id: str
    name: str
    email: str
    role: str = "Agent"
    availability: str = "offline"
    signature: str = ""
    password: str = "initial"  # noqa: S105 - shows that a secret is never recorded


@dataclass
class Role:
    """What agents may do."""

    id: str
    name: str
    permissions: list[str]


@dataclass
class SmartRule:
    """What the helpdesk does by itself."""

    id: str
    name: str
    position: int
    is_active: bool = True


@dataclass
class SlaPolicy:
    """How fast an answer must be."""

    id: str
    name: str
    first_reply_minutes: int


@dataclass
class Channel:
    """Where contacts write to."""

    id: str
    name: str
    address: str


@dataclass
class CustomField:
    """A field of the account's own."""

    id: str
    name: str
    options: list[str]
