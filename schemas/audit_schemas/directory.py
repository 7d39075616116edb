"""The directory: accounts and actors as the services last described them, one compacted topic each."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from audit_schemas.event import ActorType
from audit_schemas.keys import joined, split
from audit_schemas.permissions import default_permissions
from audit_schemas.types import AccountId, Instant, Key


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; write it as in Europe/Berlin") from None
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]
"""A name of the IANA time zone database."""


class Account(BaseModel):
    """A tenant."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: AccountId
    name: str = ""
    plan: str = ""
    zone: Zone = "UTC"
    """In which its people read times, unless they say otherwise."""
    record_reads: bool = False
    """Whether the log keeps who read it; what was refused it keeps in any case."""
    updated_at: Instant


def _of_type(entry: dict[str, Any]) -> tuple[str, ...]:
    return default_permissions(entry["type"])


class DirectoryActor(BaseModel):
    """An actor as its account knows it; completes events that carry only an id."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    account: AccountId
    id: Key
    type: ActorType = "agent"
    name: str = ""
    email: str = ""
    role: str = ""
    permissions: tuple[str, ...] = Field(
        default_factory=_of_type,
        description="Titles of permissions. When absent: 'View Contact activity' for an agent or an admin, "
        "nothing for others. A list, also an empty one, is taken as it is.",
    )
    zone: Zone | None = None
    active: bool = True
    """False once it has left: its past stays readable, its permissions are gone."""
    updated_at: Instant


def account_key(account: str) -> bytes:
    """The key of an account's record in its compacted topic."""
    return account.encode()


def actor_key(account: str, actor: str) -> bytes:
    """The key of an actor's record in its compacted topic."""
    return joined(account, actor)


def read_actor_key(key: bytes) -> tuple[str, str]:
    """The account and the actor that a key names: all that a record without a value says.

    Raises:
        ValueError: it is no actor's key.
    """
    account, actor = split(key, 2)
    return account, actor
