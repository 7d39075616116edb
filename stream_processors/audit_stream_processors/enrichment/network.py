"""What is known of an address: IP, scope and, where databases are mounted, the place and the owner."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from audit_stream_processors.enrichment import place_words
from audit_stream_processors.enrichment.addresses import LONGEST, read_address
from audit_stream_processors.enrichment.special_addresses import GLOBAL

_KNOWN = 65_536
"""So many addresses are remembered: a look-up in the databases takes longer than all else of an event."""


class Found(NamedTuple):
    """What databases know of a global IP address; nothing (never a guess) of what they do not hold."""

    country: str | None = None
    """ISO 3166-1 alpha-2."""
    country_name: str | None = None
    city: str | None = None
    owner: str | None = None
    """Of the network, by the name of its autonomous system."""


class Network(NamedTuple):
    """What is known of an address; only the place of one that holds no IP address."""

    ip: str | None = None
    """Canonical: an IPv4 address within an IPv6 one is itself, zones are left out."""
    scope: str | None = None
    country: str | None = None
    city: str | None = None
    owner: str | None = None
    place: str | None = None
    """In words, see `place_words`."""


NOWHERE = Network()

Find = Callable[[str], Found]
"""Asks the databases for an IP address."""
Locate = Callable[[str], Network]
"""From an address as it was given."""


def locator(find: Find) -> Locate:
    """Make the function from an address, as it was given, to what is known of it.

    It remembers its answers: make another one when the databases change.
    """

    @lru_cache(maxsize=_KNOWN)
    def known(text: str) -> Network:
        address = read_address(text)
        if address is None:
            return _named(text)
        ip, scope, sender = address
        if scope != GLOBAL:
            return Network(ip, scope, place=place_words.OF_SCOPE[scope])
        country, name, city, owner = find(sender)
        return Network(ip, scope, country, city, owner, place_words.city_and_country(city, name or country))

    def locate(text: str) -> Network:
        # What is longer holds no IP address, and must not fill the memory.
        return known(text) if len(text) <= LONGEST else _named(text)

    return locate


def _named(text: str) -> Network:
    place = place_words.host(text)
    return NOWHERE if place is None else Network(place=place)


def _nothing(_ip: str) -> Found:
    return Found()


network_of = locator(_nothing)
"""What is known of an address where no database is mounted."""
