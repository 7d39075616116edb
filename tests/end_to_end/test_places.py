"""Where an event came from, on its way from the producer to the view."""

import json

from command import Audit, Rows


def test_the_view_shows_country_city_network_and_client(audit: Audit, rows: Rows) -> None:
    event = {
        "account": "places",
        "occurred_at": "2026-03-02T09:59:00Z",
        "action": "update",
        "target": {"type": "role", "id": "1"},
    }
    origins = [
        {"address": "5.1.2.3:443", "user_agent": "Okta SCIM Client 1.0.0"},
        {"address": "10.0.0.7"},
        {"via": "sync"},
    ]
    lines = "".join(json.dumps({**event, "origin": origin}) + "\n" for origin in origins)
    audit("publish", "-", stdin=lines).check_returncode()
    found = rows(
        "SELECT country, city, network, place, client, via FROM audit_log WHERE account_id = 'places' "
        "AND (SELECT count() FROM audit_log WHERE account_id = 'places') = 3 ORDER BY country DESC, via"
    )
    assert [tuple(row.values()) for row in found] == [
        ("DE", "Berlin", "Example Net AG", "Berlin, Germany", "Okta provisioning", ""),
        ("", "", "", "private network", "", ""),
        ("", "", "", "sync job", "", "sync"),
    ]
