"""From what was given as an address to the IP address in it."""

from ipaddress import IPv6Address
from socket import AF_INET, inet_pton
from typing import NamedTuple

from audit_stream_processors.enrichment.special_addresses import carried, scope_of, scope_of_v4

LONGEST = 100
"""No IP address with brackets, zone and port is longer."""


class Address(NamedTuple):
    """An IP address and what is known without asking a database."""

    ip: str
    """Canonical: an IPv4 address that is mapped into IPv6 is itself, zones are left out."""
    scope: str
    """See `special_addresses.scope_of`."""
    sender: str
    """Whose place it is: the IPv4 address that an IPv6 one carries, or else itself."""


def read_address(text: str) -> Address | None:
    """Find the IP address in a text such as `1.2.3.4:443`, `[::1]:443`, `fe80::1%eth0`, `app.internal`."""
    if len(text) > LONGEST:
        return None
    bare = _bare(text.strip())
    try:
        # Ten times faster than ipaddress, and as strict; its text is the canonical one.
        return Address(bare, scope_of_v4(int.from_bytes(inet_pton(AF_INET, bare), "big")), bare)
    except (OSError, ValueError):
        return _read_v6(bare)


def _read_v6(text: str) -> Address | None:
    try:
        ip = IPv6Address(text)
    except ValueError:
        return None
    return Address(str(ip.ipv4_mapped or ip), scope_of(ip), str(carried(ip) or ip))


def _bare(text: str) -> str:
    """The text without brackets, port and zone."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return text.partition("%")[0]
