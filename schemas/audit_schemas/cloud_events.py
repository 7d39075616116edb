"""CloudEvents 1.0 in Kafka's binary mode: the event's envelope as headers, readable without its body.

Source: the Kafka protocol binding for CloudEvents 1.0, section 3.2.
"""

from audit_schemas.event import Event

EVENT_TYPE = b"auditlane.event.v1"

Headers = list[tuple[str, bytes]]


def cloud_event_headers(event: Event, service: str) -> Headers:
    """The headers of an event's record.

    Args:
        event: the event.
        service: who publishes it; the CloudEvents source is `/{service}`.
    """
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(event.id).encode()),
        ("ce_source", f"/{service}".encode()),
        ("ce_type", EVENT_TYPE),
        ("ce_time", event.occurred_at.isoformat().encode()),
        ("content-type", b"application/json"),
    ]
