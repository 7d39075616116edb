"""What an address tells of a place where no database is mounted, and what is shown without an address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_schemas.event import Origin
from audit_stream_processors.enrichment import place_words
from audit_stream_processors.enrichment.network import Found, Network, locator, network_of
from audit_stream_processors.enrichment.origin import enriched_origin
from audit_stream_processors.enrichment.special_addresses import _V4, _V6, GLOBAL


def test_a_global_address_without_a_database_is_in_an_unknown_place() -> None:
    assert network_of("8.8.8.8:443") == Network("8.8.8.8", "global")


def test_every_other_scope_has_its_words() -> None:
    assert {*_V4.values(), *_V6.values()} - {GLOBAL} == place_words.OF_SCOPE.keys()


@pytest.mark.parametrize(
    ("origin", "place"),
    [
        (Origin(address="10.0.0.7:443", via="sync"), "private network"),
        (Origin(address="100.64.0.1"), "provider's shared network"),
        (Origin(address="config.amazonaws.com"), "config.amazonaws.com"),
        (Origin(address="app.internal:8080", via="sync"), "app.internal:8080"),
        (Origin(address="proxy", ip="127.0.0.1"), "the service's own machine"),
        (Origin(address="backup-1", ip="unknown"), "backup-1"),
        (Origin(via="sync"), "sync job"),
        (Origin(via="import"), "import"),
        (Origin(via="automation"), "automation"),
        (Origin(via="job"), "job"),
        (Origin(address="", via="sync"), "sync job"),
        (Origin(address="8.8.8.8", via="sync"), None),
        (Origin(via="web"), None),
        (Origin(), None),
    ],
)
def test_the_place_is_the_best_that_is_known(origin: Origin, place: str | None) -> None:
    made, _ = enriched_origin(origin, network_of)
    assert place == made.place


def test_a_long_or_strange_host_name_is_cut_and_harmless() -> None:
    assert network_of("x" * 5000).place == "x" * 99 + "…"
    assert network_of("host\x1b[2J\r\n\u202eevil").place == "host [2J   evil"
    assert network_of("\x00\n").place is None


@pytest.mark.parametrize(
    ("city", "country", "place"),
    [
        ("Berlin", "Germany", "Berlin, Germany"),
        (None, "Germany", "Germany"),
        ("Singapore", "Singapore", "Singapore"),
        ("Berlin", None, None),
    ],
)
def test_a_city_is_shown_with_its_country(city: str | None, country: str | None, place: str | None) -> None:
    assert place == place_words.city_and_country(city, country)


def test_only_global_addresses_are_looked_up_and_each_once() -> None:
    asked: list[str] = []

    def find(ip: str) -> Found:
        asked.append(ip)
        return Found(country="DE")

    locate = locator(find)
    for _ in range(2):
        for address in ("8.8.8.8", "10.0.0.1", "2002:808:404::1", "host", "x" * 5000):
            locate(address)
    assert asked == ["8.8.8.8", "8.8.4.4"]
    assert locate("8.8.8.8").place == "DE"


@given(st.text())
def test_no_address_is_too_strange(text: str) -> None:
    network = network_of(text)
    assert (network.ip is None) == (network.scope is None)
    assert network.place is None or (len(network.place) <= 100 and network.place.isprintable())
