"""IANA's special-purpose address registries as a table, and the look-up in it.

The flags of Python's `ipaddress` follow other documents and differ from the registries for shared
addresses, NAT64, 6to4, new documentation and segment-routing prefixes.

Source: IANA IPv4 and IPv6 Special-Purpose Address Registries, IPv6 address space, IPv4 multicast.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Any

GLOBAL = "global"
RESERVED = "reserved"

_V4 = {
    "0.0.0.0/8": "unspecified",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link_local",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": RESERVED,
    "192.0.0.9/32": GLOBAL,  # Port Control Protocol, anycast
    "192.0.0.10/32": GLOBAL,  # TURN, anycast
    "192.0.2.0/24": "documentation",
    "192.88.99.0/24": RESERVED,  # deprecated anycast of 6to4 relays
    "192.168.0.0/16": "private",
    "198.18.0.0/15": "benchmarking",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": RESERVED,
    "255.255.255.255/32": "broadcast",
}

_V6 = {
    "2000::/3": GLOBAL,  # all that is given out as global unicast
    "::/128": "unspecified",
    "::1/128": "loopback",
    "64:ff9b:1::/48": "private",  # NAT64 within one network
    "2001::/23": RESERVED,  # IETF protocol assignments, unless more specific
    "2001:1::1/128": GLOBAL,  # Port Control Protocol, anycast
    "2001:1::2/128": GLOBAL,  # TURN, anycast
    "2001:1::3/128": GLOBAL,  # DNS-SD service registration, anycast
    "2001:2::/48": "benchmarking",
    "2001:3::/32": GLOBAL,  # AMT
    "2001:4:112::/48": GLOBAL,  # AS112
    "2001:20::/28": GLOBAL,  # ORCHIDv2
    "2001:30::/28": GLOBAL,  # drones' remote identification
    "2001:db8::/32": "documentation",
    "3fff::/20": "documentation",
    "5f00::/16": "segment_routing",
    "fc00::/7": "private",
    "fe80::/10": "link_local",
    "fec0::/10": "private",  # deprecated, site-local
    "ff00::/8": "multicast",
}

_NAT64 = ip_network("64:ff9b::/96")
_TEREDO = ip_network("2001::/32")
_6TO4 = ip_network("2002::/16")

_Ranges = tuple[list[int], list[str]]
"""Where each range begins, ascending, and its scope: it ends where the next one begins."""


def _ranges(table: Mapping[str, str], outside: str, bits: int) -> _Ranges:
    """Flatten networks within networks, so that a look-up is one bisection."""
    networks = sorted((ip_network(text), scope) for text, scope in table.items())
    edges = {0, *(edge for network, _ in networks for edge in _edges(network))} - {1 << bits}
    starts = sorted(edges)
    return starts, [_most_specific(networks, start) or outside for start in starts]


def _edges(network: IPv4Network | IPv6Network) -> tuple[int, int]:
    return int(network.network_address), int(network.broadcast_address) + 1


def _most_specific(networks: Sequence[tuple[Any, str]], ip: int) -> str | None:
    holding = [(network.prefixlen, scope) for network, scope in networks if _holds(network, ip)]
    return max(holding)[1] if holding else None


def _holds(network: IPv4Network | IPv6Network, ip: int) -> bool:
    start, end = _edges(network)
    return start <= ip < end


_V4_RANGES = _ranges(_V4, GLOBAL, 32)
_V6_RANGES = _ranges(_V6, RESERVED, 128)


def scope_of(ip: IPv4Address | IPv6Address) -> str:
    """What the registries say of an address.

    An address that carries an IPv4 address (mapped, NAT64, 6to4, Teredo) has the scope of that one:
    it says where the packets really come from.

    Returns:
        global, private, shared, loopback, link_local, multicast, documentation, benchmarking,
        segment_routing, broadcast, unspecified or reserved.
    """
    if isinstance(ip, IPv4Address):
        return scope_of_v4(int(ip))
    v4 = carried(ip)
    return _look_up(_V6_RANGES, int(ip)) if v4 is None else scope_of_v4(int(v4))


def scope_of_v4(ip: int) -> str:
    """What the registry says of an IPv4 address, given as a number."""
    return _look_up(_V4_RANGES, ip)


def _look_up(ranges: _Ranges, ip: int) -> str:
    starts, scopes = ranges
    return scopes[bisect_right(starts, ip) - 1]


def carried(ip: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address carries (mapped, NAT64, 6to4, Teredo); nothing of most."""
    if ip.ipv4_mapped:
        return ip.ipv4_mapped
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip in _6TO4:
        return IPv4Address(int(ip) >> 80 & 0xFFFFFFFF)
    if ip in _TEREDO:
        return IPv4Address(~int(ip) & 0xFFFFFFFF)  # the client's, inverted
    return None
