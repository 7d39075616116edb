"""Places by real mmdb files: both formats, reloading, and files that cannot be used."""

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from place_files import (
    DBIP_ASN,
    DBIP_CITY,
    GEOLITE_ASN,
    GEOLITE_CITY,
    dbip_place,
    geolite_place,
    owner,
    write,
)
from structlog.testing import capture_logs

from audit_schemas.event import Origin
from audit_stream_processors.enrichment.network import Network, network_of
from audit_stream_processors.enrichment.origin import enriched_origin
from audit_stream_processors.enrichment.places import Places

BERLIN = geolite_place("DE", "Germany", "Berlin")
PARIS = geolite_place("FR", "France", "Paris")


def read(folder: Path | None) -> Places:
    places = Places(folder)
    places.look()
    return places


def country(places: Places, address: str = "5.1.2.3") -> str | None:
    return places.locate(address).country


@pytest.mark.parametrize(
    ("cities", "networks", "place"),
    [(GEOLITE_CITY, GEOLITE_ASN, BERLIN), (DBIP_CITY, DBIP_ASN, dbip_place("DE", "Germany", "Berlin"))],
)
def test_both_formats_tell_country_city_and_owner(
    tmp_path: Path, cities: str, networks: str, place: dict[str, Any]
) -> None:
    write(tmp_path / "city.mmdb", cities, {"5.1.2.0/24": place, "2a02:5::/32": place})
    write(tmp_path / "asn.mmdb", networks, {"5.1.0.0/16": owner("Example Net AG")})
    places = read(tmp_path)
    known = ("DE", "Berlin", "Example Net AG", "Berlin, Germany")
    assert places.locate("5.1.2.3:443") == Network("5.1.2.3", "global", *known)
    assert places.locate("2a02:5::1") == Network(
        "2a02:5::1", "global", "DE", "Berlin", None, "Berlin, Germany"
    )
    assert places.locate("5.1.3.1") == Network("5.1.3.1", "global", None, None, "Example Net AG")
    origin, _ = enriched_origin(Origin(address="5.1.2.3"), places.locate)
    assert (origin.country, origin.city, origin.network, origin.place) == known


@pytest.mark.parametrize("address", ["::ffff:5.1.2.3", "64:ff9b::501:203", "2002:501:203::1"])
def test_an_ipv4_address_within_an_ipv6_one_is_in_its_place(tmp_path: Path, address: str) -> None:
    write(tmp_path / "city.mmdb", GEOLITE_CITY, {"5.1.2.0/24": BERLIN})
    assert country(read(tmp_path), address) == "DE"


def test_an_address_of_a_special_range_is_never_looked_up(tmp_path: Path) -> None:
    write(tmp_path / "city.mmdb", GEOLITE_CITY, {"10.0.0.0/8": BERLIN})
    assert read(tmp_path).locate("10.0.0.1") == network_of("10.0.0.1")


def test_a_country_without_a_city_is_shown_alone_and_an_unknown_one_is_none(tmp_path: Path) -> None:
    strange = {
        "5.1.2.0/24": geolite_place("DE", "Germany"),
        "5.1.3.0/24": geolite_place("ZZ", "Unknown"),
        "5.1.4.0/24": {"country": "DE", "city": {"names": ["Berlin"]}},
        "5.1.5.0/24": {"country": {"iso_code": "germany"}},
        "5.1.6.0/24": {"registered_country": {"iso_code": "US"}},
    }
    write(tmp_path / "country.mmdb", "GeoLite2-Country", strange)
    places = read(tmp_path)
    assert places.locate("5.1.2.3")[2:] == ("DE", None, None, "Germany")
    assert [country(places, f"5.1.{number}.3") for number in (3, 4, 5, 6)] == [None] * 4


def test_the_newest_of_a_kind_counts_and_cities_go_before_countries(tmp_path: Path) -> None:
    write(tmp_path / "2.mmdb", DBIP_CITY, {"5.1.2.0/24": BERLIN}, built=1_790_000_000)
    write(tmp_path / "1.mmdb", DBIP_CITY, {"5.1.2.0/24": PARIS}, built=1_790_000_001)
    write(tmp_path / "3.mmdb", "GeoLite2-Country", {"5.1.2.0/24": BERLIN}, built=1_790_000_002)
    assert country(read(tmp_path)) == "FR"


def test_without_a_folder_or_a_file_places_are_unknown_and_that_is_said(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with capture_logs() as logs:
            places = read(folder)
            places.look()
        assert places.locate("5.1.2.3") == Network("5.1.2.3", "global")
        assert [entry["event"] for entry in logs] == [
            "no database of places: countries and networks are unknown"
        ]


def test_without_the_setting_nothing_is_watched() -> None:
    places = Places(None)
    places.start()
    assert places.locate("5.1.2.3") == Network("5.1.2.3", "global")
    assert "places" not in {thread.name for thread in threading.enumerate()}


def test_a_replaced_file_counts_while_events_pass(tmp_path: Path) -> None:
    write(tmp_path / "city.mmdb", GEOLITE_CITY, {"5.1.2.0/24": BERLIN})
    places = Places(tmp_path, every=0.01)
    places.start()
    assert country(places) == "DE"
    write(tmp_path / "city.mmdb", GEOLITE_CITY, {"5.1.2.0/24": PARIS})
    changed = threading.Event()
    threading.Timer(10, changed.set).start()
    seen = {"DE"}
    while "FR" not in seen and not changed.is_set():
        seen.add(str(country(places)))
    places.stop()
    assert seen == {"DE", "FR"}  # and never unknown between the two
    assert country(places) == "FR"


def test_a_file_that_is_overwritten_in_place_does_not_change_what_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "city.mmdb", GEOLITE_CITY, {"5.1.2.0/24": BERLIN})
    places = read(tmp_path)
    os.truncate(path, 0)  # a mapped file would end the process here, at the next look-up
    assert country(places) == "DE"


@pytest.mark.parametrize("broken", [b"", b"no database", "cut", "other type"])
def test_a_file_that_cannot_be_used_keeps_the_old_one_in_force_and_is_named(
    tmp_path: Path, broken: bytes | str
) -> None:
    path = write(tmp_path / "city.mmdb", GEOLITE_CITY, {"5.1.2.0/24": BERLIN})
    places = read(tmp_path)
    if broken == "other type":
        write(path, "GeoIP2-Anonymous-IP", {"5.1.2.0/24": {"is_anonymous": True}})
    else:
        path.write_bytes(broken if isinstance(broken, bytes) else path.read_bytes()[:-40])
    with capture_logs() as logs:
        places.look()
        places.look()
    assert country(places) == "DE"
    ((event, where, kept),) = [(entry["event"], entry["path"], entry["kept"]) for entry in logs]
    assert (event, where, kept) == ("database of places not usable", str(path), "2026-09-21")
    write(path, GEOLITE_CITY, {"5.1.2.0/24": PARIS})
    places.look()
    assert country(places) == "FR"


def test_a_file_that_is_damaged_in_its_middle_is_not_taken(tmp_path: Path) -> None:
    path = write(tmp_path / "city.mmdb", GEOLITE_CITY, {"5.0.0.0/8": BERLIN})
    data = bytearray(path.read_bytes())
    start = data.index(b"continent") - 3
    data[start : start + 60] = b"\xff" * 60
    path.write_bytes(data)
    assert country(read(tmp_path)) is None


def test_a_file_that_is_taken_away_is_no_longer_used(tmp_path: Path) -> None:
    path = write(tmp_path / "city.mmdb", GEOLITE_CITY, {"5.1.2.0/24": BERLIN})
    places = read(tmp_path)
    path.unlink()
    places.look()
    assert country(places) is None
