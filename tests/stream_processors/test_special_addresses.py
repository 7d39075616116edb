"""Every row of IANA's two special-purpose registries, at both of its ends and beside them."""

from ipaddress import ip_address, ip_network

import pytest

from audit_stream_processors.enrichment.special_addresses import scope_of

# Block, globally reachable as the registry says (None: N/A), scope at its first and at its last address.
# The ends of a block that carries IPv4 addresses are those of 0.0.0.0 and 255.255.255.255.
IPV4 = [
    ("0.0.0.0/8", False, "unspecified"),
    ("0.0.0.0/32", False, "unspecified"),
    ("10.0.0.0/8", False, "private"),
    ("100.64.0.0/10", False, "shared"),
    ("127.0.0.0/8", False, "loopback"),
    ("169.254.0.0/16", False, "link_local"),
    ("172.16.0.0/12", False, "private"),
    ("192.0.0.0/24", False, "reserved"),
    ("192.0.0.0/29", False, "reserved"),
    ("192.0.0.8/32", False, "reserved"),
    ("192.0.0.9/32", True, "global"),
    ("192.0.0.10/32", True, "global"),
    ("192.0.0.170/32", False, "reserved"),
    ("192.0.0.171/32", False, "reserved"),
    ("192.0.2.0/24", False, "documentation"),
    ("192.31.196.0/24", True, "global"),
    ("192.52.193.0/24", True, "global"),
    ("192.88.99.0/24", None, "reserved"),
    ("192.88.99.2/32", False, "reserved"),
    ("192.168.0.0/16", False, "private"),
    ("192.175.48.0/24", True, "global"),
    ("198.18.0.0/15", False, "benchmarking"),
    ("198.51.100.0/24", False, "documentation"),
    ("203.0.113.0/24", False, "documentation"),
    ("240.0.0.0/4", False, ("reserved", "broadcast")),
    ("255.255.255.255/32", False, "broadcast"),
]
IPV6 = [
    ("::1/128", False, "loopback"),
    ("::/128", False, "unspecified"),
    ("::ffff:0:0/96", False, ("unspecified", "broadcast")),
    ("64:ff9b::/96", None, ("unspecified", "broadcast")),  # reachable, as far as what it carries is
    ("64:ff9b:1::/48", False, "private"),
    ("100::/64", False, "reserved"),
    ("100:0:0:1::/64", False, "reserved"),
    ("2001::/23", False, ("broadcast", "reserved")),  # begins with Teredo
    ("2001::/32", None, ("broadcast", "unspecified")),  # Teredo carries the address inverted
    ("2001:1::1/128", True, "global"),
    ("2001:1::2/128", True, "global"),
    ("2001:1::3/128", True, "global"),
    ("2001:2::/48", False, "benchmarking"),
    ("2001:3::/32", True, "global"),
    ("2001:4:112::/48", True, "global"),
    ("2001:10::/28", None, "reserved"),
    ("2001:20::/28", True, "global"),
    ("2001:30::/28", True, "global"),
    ("2001:db8::/32", False, "documentation"),
    ("2002::/16", None, ("unspecified", "broadcast")),
    ("2620:4f:8000::/48", True, "global"),
    ("3fff::/20", False, "documentation"),
    ("5f00::/16", False, "segment_routing"),
    ("fc00::/7", False, "private"),
    ("fe80::/10", False, "link_local"),
]


@pytest.mark.parametrize(("block", "reachable", "scope"), IPV4 + IPV6)
def test_a_block_has_its_scope_from_its_first_address_to_its_last(
    block: str, reachable: bool | None, scope: str | tuple[str, str]
) -> None:
    network = ip_network(block)
    ends = (scope_of(network[0]), scope_of(network[-1]))
    assert ends == (scope if isinstance(scope, tuple) else (scope, scope))
    assert reachable is None or reachable == ("global" in ends)


@pytest.mark.parametrize("block", [block for block, *_ in IPV4])
def test_what_lies_beside_a_block_and_in_no_other_one_is_global(block: str) -> None:
    blocks = [ip_network(other) for other, *_ in IPV4] + [ip_network("224.0.0.0/4")]
    network = ip_network(block)
    for number in (int(network[0]) - 1, int(network[-1]) + 1):
        if 0 <= number < 1 << 32 and not any(ip_address(number) in other for other in blocks):
            assert scope_of(ip_address(number)) == "global"


@pytest.mark.parametrize(
    ("address", "scope"),
    [
        ("::ffff:100.64.0.1", "shared"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("64:ff9b::a00:1", "private"),
        ("2002:a00:1::1", "private"),
        ("3fff::1", "documentation"),
        ("5f00::1", "segment_routing"),
        ("100.64.0.1", "shared"),
        ("100.127.255.255", "shared"),
        ("100.128.0.0", "global"),
    ],
)
def test_what_the_standard_library_takes_for_something_else(address: str, scope: str) -> None:
    assert scope == scope_of(ip_address(address))
