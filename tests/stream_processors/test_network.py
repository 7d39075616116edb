"""From what real logs hold as an address to an IP address and what IANA says of it."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_stream_processors.enrichment.network import NOWHERE, Network, network_of
from audit_stream_processors.enrichment.special_addresses import scope_of

SCOPES = {
    "1.2.3.4": "global",
    "10.1.2.3": "private",
    "100.63.255.255": "global",
    "100.64.0.1": "shared",
    "127.0.0.53": "loopback",
    "169.254.169.254": "link_local",
    "172.15.255.255": "global",
    "172.31.255.255": "private",
    "172.32.0.0": "global",
    "192.0.0.8": "reserved",
    "192.0.0.9": "global",
    "192.0.2.1": "documentation",
    "192.88.99.1": "reserved",
    "192.168.1.1": "private",
    "198.19.255.255": "benchmarking",
    "198.51.100.7": "documentation",
    "203.0.113.9": "documentation",
    "224.0.0.1": "multicast",
    "239.255.255.250": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "broadcast",
    "0.0.0.0": "unspecified",
    "::": "unspecified",
    "::1": "loopback",
    "::2": "reserved",
    "64:ff9b::8.8.8.8": "global",
    "64:ff9b::a00:1": "private",
    "64:ff9b:1::1": "private",
    "100::1": "reserved",
    "2001:0:53aa:64c::f5ff:fffe": "private",  # Teredo, of the client 10.0.0.1
    "2001:1::1": "global",
    "2001:1::4": "reserved",
    "2001:2::1": "benchmarking",
    "2001:20::1": "global",
    "2001:db8::1": "documentation",
    "2001:4860:4860::8888": "global",
    "2002:a00:1::1": "private",
    "2002:808:808::1": "global",
    "2a00:1450::1": "global",
    "3fff::1": "documentation",
    "3fff:1000::1": "global",
    "4000::1": "reserved",
    "5f00::1": "segment_routing",
    "fc00::1": "private",
    "fe80::1": "link_local",
    "fec0::1": "private",
    "ff02::1": "multicast",
}


@pytest.mark.parametrize(("address", "scope"), SCOPES.items())
def test_the_scope_is_that_of_the_registries(address: str, scope: str) -> None:
    assert scope == network_of(address).scope


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("1.2.3.4:443", Network("1.2.3.4", "global")),
        (" 1.2.3.4 ", Network("1.2.3.4", "global")),
        ("[2a00:1450::1]:443", Network("2a00:1450::1", "global")),
        ("[::1]", Network("::1", "loopback")),
        ("2A00:1450:0:0::1", Network("2a00:1450::1", "global")),
        ("fe80::1%eth0", Network("fe80::1", "link_local")),
        ("[fe80::1%25eth0]:22", Network("fe80::1", "link_local")),
        ("::ffff:100.64.0.1", Network("100.64.0.1", "shared")),
        ("[::ffff:8.8.8.8]:80", Network("8.8.8.8", "global")),
    ],
)
def test_ports_brackets_and_zones_are_no_part_of_the_address(address: str, expected: Network) -> None:
    assert expected == network_of(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "app.internal",
        "app.internal:8080",
        "config.amazonaws.com",
        "1.2.3",
        "256.1.1.1",
        "010.0.0.1",
        "::1::",
        "1.2.3.4\0",
        "①.2.3.4",
        "[",
        "%",
        "x" * 5000,
    ],
)
def test_what_is_no_ip_address_has_neither_ip_nor_scope(address: str) -> None:
    assert network_of(address) == NOWHERE


@given(st.ip_addresses(v=4))
def test_every_ipv4_address_is_read_as_it_was_written(ip: ipaddress.IPv4Address) -> None:
    expected = Network(str(ip), scope_of(ip))
    assert expected == network_of(str(ip)) == network_of(f"{ip}:443") == network_of(f"::ffff:{ip}")


@given(st.ip_addresses(v=6))
def test_every_ipv6_address_is_read_as_it_was_written(ip: ipaddress.IPv6Address) -> None:
    expected = Network(str(ip.ipv4_mapped or ip), scope_of(ip))
    assert expected == network_of(ip.exploded) == network_of(f"[{ip}]:443")


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    network = network_of(text)
    assert (network.ip is None) == (network.scope is None)
