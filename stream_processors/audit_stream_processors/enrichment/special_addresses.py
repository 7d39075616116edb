"""IANA's special-purpose address registries as a table, and the look-up in it.

The flags of Python's `ipaddress` follow other documents and differ from the registries for shared
addresses, NAT64, 6to4, new documentation and segment-routing prefixes.

Source: IANA IPv4 and IPv6 Special-Purpose Address Registries, IPv6 address space, IPv4 multicast.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

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
    "::/0": RESERVED,  # only 2000::/3 is given out as global unicast
    "2000::/3": GLOBAL,
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

_Rows = tuple[tuple[int, int, str], ...]


def _rows(networks: Iterable[tuple[IPv4Network | IPv6Network, str]]) -> _Rows:
    """(mask, address, scope), the most specific network first."""
    ordered = sorted(networks, key=lambda row: row[0].prefixlen, reverse=True)
    return tuple((int(network.netmask), int(network.network_address), scope) for network, scope in ordered)


_V4_ROWS = _rows((ip_network(text), scope) for text, scope in _V4.items())
_V6_ROWS = _rows((ip_network(text), scope) for text, scope in _V6.items())


def scope_of(ip: IPv4Address | IPv6Address) -> str:
    """What the registries say of an address.

    An address that carries an IPv4 address (NAT64, 6to4, Teredo) has the scope of that one: it says
    where the packets really come from.

    Returns:
        global, private, shared, loopback, link_local, multicast, documentation, benchmarking,
        segment_routing, broadcast, unspecified or reserved.
    """
    if isinstance(ip, IPv4Address):
        return _look_up(_V4_ROWS, int(ip)) or GLOBAL
    carried = _carried(ip)
    return scope_of(carried) if carried else _look_up(_V6_ROWS, int(ip)) or RESERVED


def _look_up(rows: _Rows, ip: int) -> str | None:
    return next((scope for mask, network, scope in rows if ip & mask == network), None)


def _carried(ip: IPv6Address) -> IPv4Address | None:
    if ip.ipv4_mapped:
        return ip.ipv4_mapped
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip in _6TO4:
        return IPv4Address(int(ip) >> 80 & 0xFFFFFFFF)
    if ip in _TEREDO:
        return IPv4Address(~int(ip) & 0xFFFFFFFF)  # the client's, inverted
    return None
