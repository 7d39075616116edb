"""From what real logs hold as an address to an IP address and what IANA says of it."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_stream_processors.enrichment.addresses import Address, read_address
from audit_stream_processors.enrichment.special_addresses import carried, scope_of

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
    assert (found := read_address(address))
    assert scope == found.scope


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("1.2.3.4:443", Address("1.2.3.4", "global", "1.2.3.4")),
        (" 1.2.3.4 ", Address("1.2.3.4", "global", "1.2.3.4")),
        ("[2a00:1450::1]:443", Address("2a00:1450::1", "global", "2a00:1450::1")),
        ("[::1]", Address("::1", "loopback", "::1")),
        ("2A00:1450:0:0::1", Address("2a00:1450::1", "global", "2a00:1450::1")),
        ("fe80::1%eth0", Address("fe80::1", "link_local", "fe80::1")),
        ("[fe80::1%25eth0]:22", Address("fe80::1", "link_local", "fe80::1")),
        ("::ffff:100.64.0.1", Address("100.64.0.1", "shared", "100.64.0.1")),
        ("[::ffff:8.8.8.8]:80", Address("8.8.8.8", "global", "8.8.8.8")),
    ],
)
def test_ports_brackets_and_zones_are_no_part_of_the_address(address: str, expected: Address) -> None:
    assert expected == read_address(address)


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
def test_what_is_no_ip_address_is_none(address: str) -> None:
    assert read_address(address) is None


@given(st.ip_addresses(v=4))
def test_every_ipv4_address_is_read_as_it_was_written(ip: ipaddress.IPv4Address) -> None:
    expected = Address(str(ip), scope_of(ip), str(ip))
    assert expected == read_address(str(ip)) == read_address(f"{ip}:443") == read_address(f"::ffff:{ip}")


@given(st.ip_addresses(v=6))
def test_every_ipv6_address_is_read_as_it_was_written(ip: ipaddress.IPv6Address) -> None:
    expected = Address(str(ip.ipv4_mapped or ip), scope_of(ip), str(carried(ip) or ip))
    assert expected == read_address(ip.exploded) == read_address(f"[{ip}]:443")


@pytest.mark.parametrize(
    "address",
    ["::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1", "2001:0:53aa:64c::f7f7:f7f7", "8.8.8.8:443"],
)
def test_the_sender_is_the_ipv4_address_that_an_ipv6_one_carries(address: str) -> None:
    assert (found := read_address(address))
    assert found.sender == "8.8.8.8"
