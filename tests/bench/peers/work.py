"""What every peer does with a record: decode, enrich and encode, by the very code of the processor."""

from datetime import UTC, datetime

from audit_schemas.catalogue import catalogue
from audit_schemas.wire import decode_event, encode
from audit_stream_processors.enrichment.enrich import enricher

_enrich = enricher(catalogue(), lambda _, actor: actor, window_seconds=10_800)


def processed(value: bytes | None, partition: int, offset: int, timestamp_ms: int) -> bytes:
    """The enriched event of a record's value, as JSON; a tick, which has none, stays empty."""
    if not value:
        return b""
    event, extra = decode_event(value)
    received_at = datetime.fromtimestamp(timestamp_ms / 1000, UTC)
    return encode(_enrich(event, extra, partition, offset, received_at))
