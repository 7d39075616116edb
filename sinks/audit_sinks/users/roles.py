"""Who logs in to ClickHouse: a role, a name, and the accounts that it is bound to."""

import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from audit_schemas.errors import Invalid
from audit_schemas.types import ACCOUNT_LENGTH

# A name is an element of XML and a key of the server's configuration, where a dot would separate two keys.
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_SHORTEST_PASSWORD = 12


class Role(StrEnum):
    """What a log-in is for. Each may do what its work needs, and none does another's."""

    ANALYST = "analyst"
    """A person who asks in SQL: reads the views of some accounts, or of all, within limits."""
    EXPORTER = "exporter"
    """The commands that read for people, which check themselves whose rows each of these may see."""
    INGEST = "ingest"
    """The sink: inserts into the tables that it fills, and reads nothing."""
    ADMIN = "admin"
    """Migrations and what operators do: everything within the database."""

    @property
    def reads_accounts(self) -> bool:
        """Whether a log-in of this role can be bound to accounts."""
        return self in {Role.ANALYST, Role.EXPORTER}


@dataclass(frozen=True, slots=True)
class User:
    """A log-in."""

    name: str
    role: Role
    password_sha256: str
    """In hexadecimal; the password itself is kept nowhere."""
    accounts: tuple[str, ...] = ()
    """Whose rows it sees, in order; empty: all."""


def new_user(name: str, role: Role, password: str, accounts: tuple[str, ...] | None) -> User:
    """A log-in that was asked for.

    Args:
        name: how it logs in.
        role: what it is for.
        password: at least twelve characters.
        accounts: whose rows it sees; None: all. Only readers can be bound.

    Raises:
        Invalid: something of it cannot be.
    """
    if not _NAME.fullmatch(name):
        raise Invalid(
            f"{name!r} is no name for a log-in",
            remedy="up to 63 small letters, digits, - and _, a letter first",
        )
    if len(password) < _SHORTEST_PASSWORD:
        raise Invalid(f"the password is shorter than {_SHORTEST_PASSWORD} characters")
    return User(name, role, sha256(password.encode()).hexdigest(), _checked(role, accounts))


def new_password() -> str:
    """One that nobody guesses: 144 bits."""
    return secrets.token_urlsafe(18)


def _checked(role: Role, accounts: tuple[str, ...] | None) -> tuple[str, ...]:
    if not role.reads_accounts:
        if accounts:
            raise Invalid(
                f"{role.value} cannot be bound to accounts",
                remedy="only analyst and exporter read some accounts",
            )
        return ()
    if accounts is None:
        return ()
    if not accounts:
        raise Invalid(
            f"{role.value} needs accounts", remedy="name them with --account, or give --all-accounts"
        )
    for account in accounts:
        if not 0 < len(account) <= ACCOUNT_LENGTH:
            raise Invalid(f"{account!r} is no account", remedy=f"1 to {ACCOUNT_LENGTH} characters")
    return tuple(sorted(set(accounts)))
