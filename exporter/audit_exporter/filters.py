"""Which events a reader asks for: one value, and the conditions that it becomes."""

# ruff: noqa: S608 - only placeholders and this package's own constants are put together here; values are bound

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network

from audit_exporter.parameters import Binder
from audit_exporter.timeframe import Timeframe
from audit_schemas.catalogue import Catalogue
from audit_schemas.errors import Invalid

_SEARCHED = (
    "description", "actor_name", "actor_email", "target_name", "target_id", "address", "reason",
)  # fmt: skip
_INDEXED = f"replaceRegexpAll(lowerUTF8(concatWithSeparator(' ', {', '.join(_SEARCHED)})), '[0-9]+', ' ')"
"""What the table's index by_words holds."""
_LETTERS = re.compile("[A-Za-z]{4,}")
"""What is looked up in it: shorter pieces are in too many words, and other letters have no sure case."""
_MAPPED = "::ffff:"


@dataclass(frozen=True, slots=True)
class TargetKey:
    """What an event was done to."""

    type: str
    id: str

    @classmethod
    def read(cls, text: str) -> "TargetKey":
        """Read TYPE/ID; the id may hold further slashes.

        Raises:
            Invalid: when either is missing.
        """
        kind, _, key = text.partition("/")
        if not (kind and key):
            raise Invalid(f"{text!r} is no target", remedy="write TYPE/ID, as in contact/4711")
        return cls(kind, key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """All of it must fit; of several values of one kind any one."""

    accounts: tuple[str, ...]
    timeframe: Timeframe = field(default_factory=Timeframe)
    modules: tuple[str, ...] = ()
    """Keys of the catalogue."""
    actions: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    targets: tuple[TargetKey, ...] = ()
    related: tuple[TargetKey, ...] = ()
    """Further targets that an event belongs to."""
    sessions: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    """Runs of a sync or an import."""
    network: IPv4Network | IPv6Network | None = None
    fields: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """Each must occur, in any letter case, in the sentence, the names, the address or the reason."""
    outcome: str | None = None
    received_until: datetime | None = None
    """The watermark: nothing that was received later."""

    def __post_init__(self) -> None:
        if not self.accounts:
            raise ValueError("nothing is read without an account")

    def conditions(self, bind: Binder) -> list[str]:
        """The conditions in SQL; every value is handed to `bind`."""
        return [*self._but_words(bind), *(f"({_search(word, bind)})" for word in self.words)]

    def candidates(self, bind: Binder) -> list[str]:
        """The same for the table without FINAL, or a little less: words by their index, where it has them."""
        return [
            *self._but_words(bind),
            *_indexed(self.words, bind),
            *(f"({_search(word, bind)})" for word in self.words if not _LETTERS.fullmatch(word)),
        ]

    def _but_words(self, bind: Binder) -> list[str]:
        found = [of_accounts(self.accounts, bind), *during(self.timeframe, bind)]
        if self.received_until is not None:
            found.append(f"received_at <= {bind.moment(self.received_until)}")
        found += [
            f"{column} IN {bind.texts(values)}"
            for column, values in (
                ("module", self.modules),
                ("action_type", self.actions),
                ("actor_id", self.actors),
                ("outcome", (self.outcome,) if self.outcome else ()),
                ("session_id", self.sessions),
                ("request_id", self.requests),
                ("batch_id", self.batches),
            )
            if values
        ]
        if self.targets:
            found.append(" OR ".join(_target(target, bind) for target in self.targets))
        if self.related:
            found.append(" OR ".join(_related(target, bind) for target in self.related))
        if self.network is not None:
            found.append(within(self.network, bind))
        if self.fields:
            found.append(f"hasAny(changes.field, {bind.texts(self.fields)})")
        return [f"({condition})" for condition in found]

    def found_words(self, bind: Binder) -> list[str]:
        """What follows from the words, for a query with FINAL: one of the keys that their index finds."""
        words = _indexed(self.words, bind)
        if not words:
            return []
        where = [of_accounts(self.accounts, bind), *during(self.timeframe, bind), *words]
        keys = f"SELECT occurred_at, event_id FROM audit_events WHERE {' AND '.join(where)}"
        return [f"(occurred_at, event_id) IN ({keys})"]


def of_accounts(accounts: tuple[str, ...], bind: Binder) -> str:
    """One account is compared by equality: only then does ClickHouse read in the order of its table."""
    if len(accounts) == 1:
        return f"account_id = {bind.text(accounts[0])}"
    return f"account_id IN {bind.texts(accounts)}"


def during(timeframe: Timeframe, bind: Binder) -> list[str]:
    """The conditions of a timeframe; none for an end that is open."""
    found = []
    if timeframe.since is not None:
        found.append(f"occurred_at >= {bind.moment(timeframe.since)}")
    if timeframe.until is not None:
        found.append(f"occurred_at < {bind.moment(timeframe.until)}")
    return found


def _target(target: TargetKey, bind: Binder) -> str:
    return f"(target_type = {bind.text(target.type)} AND target_id = {bind.text(target.id)})"


def _related(target: TargetKey, bind: Binder) -> str:
    kind, key = bind.text(target.type), bind.text(target.id)
    return f"arrayExists(other -> other.type = {kind} AND other.id = {key}, related)"


def within(network: IPv4Network | IPv6Network, bind: Binder) -> str:
    """An IPv4 address is compared as its mapped IPv6 address, so that one rule serves both."""
    prefix = _MAPPED if network.version == 4 else ""
    low, high = (bind.text(prefix + str(end)) for end in (network[0], network[-1]))
    return f"toIPv6OrNull(ip) BETWEEN toIPv6({low}) AND toIPv6({high})"


def _search(word: str, bind: Binder) -> str:
    # One binding for each word: the same placeholder may stand in a query more than once.
    placeholder = bind.text(word)
    return " OR ".join(f"positionCaseInsensitiveUTF8({column}, {placeholder}) > 0" for column in _SEARCHED)


def _indexed(words: Iterable[str], bind: Binder) -> list[str]:
    """What follows from the words, as their index serves it; only without FINAL."""
    pieces = {piece.lower() for word in words for piece in _LETTERS.findall(word)}
    return [f"{_INDEXED} LIKE {bind.text(f'%{piece}%')}" for piece in sorted(pieces)]


def read_network(text: str) -> IPv4Network | IPv6Network:
    """Read an IP address or a network in CIDR form; bits beyond the prefix are ignored.

    Raises:
        Invalid: when it is neither.
    """
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        raise Invalid(
            f"{text!r} is no IP address or network", remedy="write 203.0.113.7 or 10.0.0.0/8"
        ) from None


def read_module(text: str, catalogue: Catalogue) -> str:
    """A module's key, from its key or its title in any letter case.

    Raises:
        Invalid: when the catalogue has no such module; names the nearest one.
    """
    titles = {**catalogue.modules, **catalogue.fallback}
    known = {name.casefold(): key for key, title in titles.items() for name in (key, title)}
    if key := known.get(text.strip().casefold()):
        return key
    near = difflib.get_close_matches(text.casefold(), known, n=1)
    remedy = f"did you mean {known[near[0]]}?" if near else f"the modules are {', '.join(titles)}"
    raise Invalid(f"{text!r} is no module", remedy=remedy)
