"""Strategies that make JSON documents of events, good ones and almost good ones."""

from typing import Any

from hypothesis import strategies as st

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
TIMES = st.datetimes().map(lambda moment: moment.isoformat() + "Z") | st.sampled_from(
    [
        "2026-01-31T23:59:59.123456+05:30",
        "2026-01-31 10:00:00Z",
        "2026-01-31t10:00:00z",
        "2026-01-31T10:00Z",
        "2026-01-31T10:00:00",
        "2026-01-31T10:00:00+0000",
        "2026-01-31T23:59:60Z",
        "2026-02-30T00:00:00Z",
        "2026-01-31",
        "1769850000",
        "",
    ]
)
IDS = st.uuids().map(str) | st.sampled_from(
    [
        "00000000000000000000000000000000",
        "{00000000-0000-0000-0000-000000000000}",
        "urn:uuid:00000000-0000-0000-0000-000000000000",
        "1",
    ]
)


def _object(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional)


def _nullable(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


PRINCIPAL = {
    "type": st.sampled_from(["agent", "admin", "contact", "integration", "system", "unknown"]),
    "id": _nullable(TEXT),
    "name": _nullable(TEXT),
    "email": _nullable(TEXT),
}
ACTOR = _object({}, {**PRINCIPAL, "on_behalf_of": _nullable(_object({}, PRINCIPAL))})
TARGET = _object({"type": KEYS, "id": KEYS}, {"name": _nullable(TEXT), "url": _nullable(TEXT)})
CHANGE = _object({"field": KEYS}, {"label": _nullable(TEXT), "old": JSON, "new": JSON})
ORIGIN = _object(
    {},
    {
        "address": _nullable(TEXT),
        "ip_trust": _nullable(st.sampled_from(["peer", "proxy", "asserted"])),
        "via": TEXT,
    },
)
EVENT = _object(
    {
        "id": IDS,
        "account": KEYS,
        "occurred_at": TIMES,
        "action": st.sampled_from(["create", "update", "login", "x_1"]),
        "target": TARGET,
    },
    {
        "actor": ACTOR,
        "outcome": st.sampled_from(["success", "failure"]),
        "related": st.lists(TARGET, max_size=2),
        "changes": st.lists(CHANGE, max_size=3),
        "origin": ORIGIN,
        "module": _nullable(TEXT),
        "metadata": st.dictionaries(TEXT, JSON, max_size=2),
        "recorded": st.sampled_from(["live", "backfill"]),
        "producer": _nullable(
            _object({"service": KEYS, "instance": KEYS, "sequence": st.integers(0, 2**53)}, {})
        ),
    },
)


@st.composite
def almost_events(draw: st.DrawFn) -> dict[str, Any]:
    """An event's document in which one thing, anywhere, may be something else."""
    document = draw(EVENT)
    places = list(_places(document))
    holder, name = draw(st.sampled_from(places))
    match draw(st.sampled_from(["keep", "keep", "replace", "remove", "add"])):
        case "replace":
            holder[name] = draw(JSON)
        case "remove":
            del holder[name]
        case "add" if isinstance(holder, dict):
            holder["surplus"] = draw(JSON)
    return document


def _places(document: Any) -> Any:
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for name, value in items:
        yield document, name
        if isinstance(value, dict | list) and name not in ("metadata", "old", "new"):
            yield from _places(value)
