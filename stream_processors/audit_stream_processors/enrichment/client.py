"""The client in words, from the user agent: `Firefox 140 on Linux`, `Zapier`, `curl 8`.

A user agent is whatever its sender writes. It is cut before anything reads it, and what reads it takes
linear time: plain comparisons, and ua-parser on Rust's regular expressions, which never go back.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from ua_parser import OS, Domain, UserAgent, load_lazy_builtins

# By name: the package would fall back to Python's regular expressions, which a sender can keep busy.
from ua_parser.regex import Resolver

from audit_stream_processors.enrichment.shown import shown

_READ = 512
"""Characters of a user agent that are read; browsers' have about 150."""
_LONGEST = 64
"""Characters of a client."""
_KNOWN = 8192
"""So many user agents are remembered."""

_PRODUCT = re.compile(r"[^\s/;,()]+")
_BROWSERS = "mozilla"
"""The first product of every browser, and so the name of none."""


class _Rules(NamedTuple):
    """What clients.toml says; user agents in lower case."""

    contains: Mapping[str, str]
    begins: Mapping[str, str]
    families: Mapping[str, str]


def client_of(user_agent: str | None) -> str | None:
    """The client in words; nothing where there is no user agent, or nothing to be read in it."""
    return _client_of(user_agent[:_READ]) if user_agent else None


@lru_cache(maxsize=_KNOWN)
def _client_of(user_agent: str) -> str | None:
    text = shown(user_agent, _READ)
    if text is None:
        return None
    name = _integration(text) or _parsed(text) or _first_product(text)
    return name and shown(name, _LONGEST)


def _integration(text: str) -> str | None:
    """The name that our rules give it."""
    lowered = text.lower()
    for part, name in _rules().contains.items():
        if part in lowered:
            return name
    for start, name in _rules().begins.items():
        if lowered.startswith(start) and not lowered[len(start) : len(start) + 1].isalnum():
            return name
    return None


def _parsed(text: str) -> str | None:
    """The name, the version and the system that ua-parser finds."""
    found = _parser()(text, Domain.USER_AGENT | Domain.OS)
    if found.user_agent is None:
        return None
    product = _versioned(found.user_agent)
    system = _family(found.os) if found.os else product
    return product if product.startswith(system) else f"{product} on {system}"


def _versioned(product: UserAgent) -> str:
    return f"{_family(product)} {product.major}" if product.major else _family(product)


def _family(found: UserAgent | OS) -> str:
    return _rules().families.get(found.family, found.family)


def _first_product(text: str) -> str | None:
    product = _PRODUCT.match(text)
    return None if product is None or product[0].lower() == _BROWSERS else product[0]


@cache
def _parser() -> Resolver:
    browsers, systems, _ = load_lazy_builtins()
    return Resolver((browsers, systems, []))


@cache
def _rules() -> _Rules:
    rules = tomllib.loads((files(__package__) / "clients.toml").read_text("utf-8"))
    contains, begins = (
        {text.lower(): name for text, name in rules[table].items()} for table in _Rules._fields[:2]
    )
    return _Rules(contains, begins, rules["families"])
