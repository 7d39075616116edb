"""From what was given as an address to an IP address and its scope."""

from functools import lru_cache
from ipaddress import IPv6Address
from socket import AF_INET, inet_pton
from typing import NamedTuple

from audit_stream_processors.enrichment.special_addresses import scope_of, scope_of_v4

_LONGEST = 100
"""No IP address with brackets, zone and port is longer; a longer text must not fill the cache."""


class Network(NamedTuple):
    """What is known of an address; nothing of one that holds no IP address."""

    ip: str | None = None
    """Canonical: an IPv4 address within an IPv6 one is itself, zones are left out."""
    scope: str | None = None


NOWHERE = Network()


def network_of(address: str) -> Network:
    """Find the IP address in a text such as `1.2.3.4:443`, `[::1]:443`, `fe80::1%eth0`, `app.internal`."""
    return _network_of(address) if len(address) <= _LONGEST else NOWHERE


@lru_cache(maxsize=65_536)
def _network_of(address: str) -> Network:
    text = _bare(address.strip())
    try:
        # Ten times faster than ipaddress, and as strict; its text is the canonical one.
        return Network(text, scope_of_v4(int.from_bytes(inet_pton(AF_INET, text), "big")))
    except (OSError, ValueError):
        return _network_of_v6(text)


def _network_of_v6(text: str) -> Network:
    try:
        ip = IPv6Address(text)
    except ValueError:
        return NOWHERE
    return Network(str(ip.ipv4_mapped or ip), scope_of(ip))


def _bare(text: str) -> str:
    """The text without brackets, port and zone."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return text.partition("%")[0]
