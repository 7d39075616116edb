"""The words for a place that people read: a city, a kind of network, a host's name, a job."""

from audit_stream_processors.enrichment.shown import shown

LONGEST = 100
"""Characters of a place; a longer host name is cut, and whole in the address."""

OF_SCOPE = {
    "private": "private network",
    "shared": "provider's shared network",
    "loopback": "the service's own machine",
    "link_local": "local link",
    "multicast": "multicast address",
    "broadcast": "broadcast address",
    "documentation": "documentation address",
    "benchmarking": "benchmarking network",
    "segment_routing": "segment routing",
    "unspecified": "unspecified address",
    "reserved": "reserved address",
}
"""By each scope but global: where an address is that no database can know."""

OF_JOB = {
    "sync": "sync job",
    "import": "import",
    "automation": "automation",
    "job": "job",
}
"""By the way in: where something was done that came from no address."""


def city_and_country(city: str | None, country: str | None) -> str | None:
    """`Berlin, Germany`; a city that is its country only once; nothing of an unknown country."""
    if country is None:
        return None
    return shown(country if city in (None, country) else f"{city}, {country}", LONGEST)


def host(address: str) -> str | None:
    """The name of a host or a service as it was given; nothing of an empty one."""
    return shown(address, LONGEST)
