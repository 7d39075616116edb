"""From where something was done: what the producer said of it, and what is known of that place."""

from typing import cast

from audit_schemas.enriched import EnrichedOrigin
from audit_schemas.event import Origin
from audit_schemas.wording.notes import UNREADABLE_IP, note
from audit_stream_processors.enrichment.client import client_of
from audit_stream_processors.enrichment.lean import lean
from audit_stream_processors.enrichment.network import NOWHERE, Locate, Network
from audit_stream_processors.enrichment.place_words import OF_JOB

_Origin = cast("type[EnrichedOrigin]", lean(EnrichedOrigin))


def enriched_origin(origin: Origin, locate: Locate) -> tuple[EnrichedOrigin, str | None]:
    """What is known of the place, and a note where the producer's `ip` is none."""
    (ip, scope, country, city, owner, place), origin_note = _network(origin, locate)
    via = origin.via
    return _Origin(
        address=origin.address,
        ip=ip,
        ip_trust=origin.ip_trust,
        scope=scope,
        country=country,
        city=city,
        network=owner,
        place=OF_JOB.get(via) if place is None and ip is None and via else place,
        forwarded_for=origin.forwarded_for,
        user_agent=origin.user_agent,
        client=client_of(origin.user_agent),
        session=origin.session,
        request_id=origin.request_id,
        via=via,
        batch=origin.batch,
    ), origin_note


def _network(origin: Origin, locate: Locate) -> tuple[Network, str | None]:
    if origin.ip is None:
        return (NOWHERE if origin.address is None else locate(origin.address)), None
    network = locate(origin.ip)
    if network.ip is not None:
        return network, None
    return locate(origin.address or ""), note(UNREADABLE_IP, origin.ip)
