"""Makes small databases of places, in the formats of MaxMind's GeoLite2 and of DB-IP Lite."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from mmdb_writer import MMDBWriter
from netaddr import IPSet

GEOLITE_CITY, GEOLITE_ASN = "GeoLite2-City", "GeoLite2-ASN"
DBIP_CITY, DBIP_ASN = "DBIP-City-Lite", "DBIP-ASN-Lite (compat=GeoLite2-ASN)"


def write(path: Path, kind: str, records: Mapping[str, Any], *, built: int = 1_790_000_000) -> Path:
    """Write a database and put it in its place at once, as `geoipupdate` does."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type=kind, languages=["en"])
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    made = path.with_name(path.name + ".new")
    with patch("mmdb_writer.time.time", return_value=built):
        writer.to_db_file(str(made))
    return made.replace(path)


def geolite_place(country: str, name: str, city: str | None = None) -> dict[str, Any]:
    """A record of GeoLite2-City or GeoLite2-Country."""
    place = {
        "continent": {"code": "EU", "geoname_id": 6255148, "names": {"en": "Europe"}},
        "country": {"geoname_id": 2921044, "iso_code": country, "names": {"de": "?", "en": name}},
        "registered_country": {"iso_code": "US", "names": {"en": "United States"}},
    }
    return place if city is None else {**place, "city": {"geoname_id": 2950159, "names": {"en": city}}}


def dbip_place(country: str, name: str, city: str) -> dict[str, Any]:
    """A record of DBIP-City-Lite."""
    return {
        "city": {"names": {"en": city}},
        "continent": {"code": "EU", "geoname_id": 6255148, "names": {"en": "Europe"}},
        "country": {"is_in_european_union": True, "iso_code": country, "names": {"en": name}},
        "location": {"latitude": 52.5, "longitude": 13.4},
        "subdivisions": [{"names": {"en": "State"}}],
    }


def owner(name: str) -> dict[str, Any]:
    """A record of a database of networks, which both publish alike."""
    return {"autonomous_system_number": 64500, "autonomous_system_organization": name}
