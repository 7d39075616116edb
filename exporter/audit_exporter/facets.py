"""How many events there are by module, action, actor and so on: what a filter can be narrowed by."""

# ruff: noqa: S608 - only placeholders and this package's own constants are put together here; values are bound

from collections.abc import Callable, Sequence

from audit_exporter.clickhouse import Connection, Table
from audit_exporter.filters import Filter
from audit_exporter.parameters import Binder, Query

Expression = Callable[[str], str]
"""Makes a facet's SQL from the placeholder of the zone."""

FACETS: dict[str, Expression] = {
    "account": lambda _: "account_id",
    "module": lambda _: "module",
    "action": lambda _: "action_type",
    "actor": lambda _: "actor_id",
    "target-type": lambda _: "target_type",
    "outcome": lambda _: "outcome",
    "via": lambda _: "via",
    "country": lambda _: "country",
    "batch": lambda _: "batch_id",
    "day": lambda zone: f"toString(toDate(toTimeZone(occurred_at, {zone})))",
    "month": lambda zone: f"formatDateTime(toTimeZone(occurred_at, {zone}), '%Y-%m')",
}
"""What `--by` takes. Days and months are the viewer's."""


def facet_query(wanted: Filter, by: Sequence[str], zone: str, limit: int) -> Query:
    """Counts by one facet or several, the largest first.

    Args:
        wanted: which events.
        by: names of FACETS; none counts all.
        zone: an IANA zone.
        limit: rows.
    """
    bind = Binder()
    place = bind.text(zone)
    keys = [f"{FACETS[name](place)} AS `{name}`" for name in by]
    names = [f"`{name}`" for name in by]
    sql = f"SELECT {', '.join([*keys, 'count() AS events'])} FROM audit_log "
    sql += f"WHERE {' AND '.join([*wanted.conditions(bind), *wanted.found_words(bind)])}"
    if names:
        sql += f" GROUP BY {', '.join(names)} ORDER BY events DESC, {', '.join(names)}"
    return Query(f"{sql} LIMIT {bind.number(limit)}", bind.parameters)


def read_facets(connection: Connection, wanted: Filter, by: Sequence[str], zone: str, limit: int) -> Table:
    """The counts, as `facet_query` orders them."""
    return connection.read(facet_query(wanted, by, zone, limit))
