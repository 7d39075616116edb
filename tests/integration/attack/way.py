"""One way to read another account's rows, as data."""

from dataclasses import dataclass
from enum import Enum, auto
from string import Template


class Fate(Enum):
    """What has to become of a way."""

    FILTERED = auto()
    """It may be asked, and shows an account's rows to whoever is bound to that account alone."""
    REFUSED = auto()
    """The server refuses it for want of a right, though an administrator may do it."""
    HARMLESS = auto()
    """Whether it is answered or refused: nothing of another account is in what comes."""


@dataclass(frozen=True, slots=True)
class Aim:
    """Whose rows are wanted. Whoever attacks may know the names, and wants what they stand for."""

    account: str
    event: str
    """The id of one of its events."""
    contact: str
    """A contact's id."""
    mark: str
    """Stands in each text that belongs to the account."""

    @property
    def names(self) -> dict[str, str]:
        """For a way's placeholders."""
        return {"account": self.account, "event": self.event, "contact": self.contact, "mark": self.mark}

    @property
    def secrets(self) -> frozenset[str]:
        """What shows that a row of the account was read."""
        return frozenset(
            {*self.names.values(), self.account[::-1], self.mark.upper(), self.mark.encode().hex().upper()}
        )


@dataclass(frozen=True, slots=True)
class Way:
    """A query with its aim left open: $account, $event, $contact, $mark."""

    name: str
    sql: str
    fate: Fate
    steady: bool = True
    """Whether the answer must be the same before the other account has any row, and after."""

    def aimed(self, aim: Aim) -> str:
        """The query."""
        return Template(self.sql).safe_substitute(aim.names)


def leaks(answer: str, query: str, aim: Aim) -> set[str]:
    """The secrets in an answer that whoever asked did not know."""
    return {secret for secret in aim.secrets if secret in answer and secret not in query}
