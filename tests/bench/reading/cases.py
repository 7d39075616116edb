"""The exporter's own questions about one account, and how they would be asked of a plain table."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

from audit_exporter.clickhouse import Connection
from audit_exporter.columns import log_columns, values
from audit_exporter.contact_activity import read_activity
from audit_exporter.facets import FACETS, read_facets
from audit_exporter.filters import Filter, TargetKey
from audit_exporter.parameters import Binder, Query
from audit_exporter.query import NEWEST_FIRST, Cursor, read_event, read_page, read_pages
from audit_exporter.timeframe import Timeframe
from audit_schemas.catalogue import catalogue
from reading import generator

LOG = log_columns(catalogue())
_ROWS = 50
_ZONE = "Europe/Berlin"
_LAST_90_DAYS = Timeframe(generator.END - timedelta(days=90), generator.END)
_ABSENT = "quetzal"
Read = Callable[[Connection], object]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One question."""

    group: str
    """What it counts as: a name of LIMITS, or a further one."""
    name: str
    read: Read
    """As the exporter asks it."""
    plain: Read
    """As one would ask it of a plain table ordered by time."""


LIMITS = {
    "newest page": 50.0,
    "facet": 300.0,
    "word": 300.0,
    "contact's page": 20.0,
    "90 days by module": 300.0,
}
"""Milliseconds that 95 of 100 answers shall take at most."""


def cases(connection: Connection, account: str) -> Iterator[Case]:
    """All questions about an account, by values that its newest page has."""
    everything = Filter(accounts=(account,))
    page, last = read_page(connection, everything, None, None, _ROWS)
    if page is None:
        raise RuntimeError(f"{account!r} has no events")
    events = list(page.dicts())
    yield _page("newest page", "newest page", everything)
    yield Case(
        group="further page",
        name="second page",
        read=lambda c: read_page(c, everything, LOG, last, _ROWS),
        plain=lambda c: c.read(_plain_page(everything, last)),
    )
    for facet in FACETS:
        yield _counts("facet", f"by {facet}", everything, facet)
    yield _counts(
        "90 days by module", "90 days by module", replace(everything, timeframe=_LAST_90_DAYS), "module"
    )
    for rank in (0, 50, 9_990):
        word = generator.word(rank)
        yield _page("word", f"the word of rank {rank:,}", replace(everything, words=(word,)))
    yield _page("word", "a word that is not there", replace(everything, words=(_ABSENT,)))
    yield _counts(
        "counts of a word",
        "a rare word by module",
        replace(everything, words=(generator.word(9_990),)),
        "module",
    )
    yield _page("number", "a number that is not there", replace(everything, words=("555000111222",)))
    for name, wanted in _filters(everything, events):
        yield _page("filter", name, wanted)
    event_id = events[-1]["event_id"]
    yield Case(
        group="filter",
        name="an event by its id",
        read=lambda c: read_event(c, (account,), event_id),
        plain=lambda c: read_event(c, (account,), event_id),
    )
    for name, contact in _contacts(connection, account):
        wanted = replace(everything, targets=(contact,))
        yield Case(
            group="contact's page",
            name=name,
            read=lambda c, wanted=wanted: list(
                read_activity(c, wanted, _ROWS, everything=False, pending=False)
            ),
            plain=lambda c, wanted=wanted: c.read(_plain_page(wanted)),
        )


def _filters(everything: Filter, events: list[dict[str, Any]]) -> Iterator[tuple[str, Filter]]:
    named = next((event for event in events if event["session_id"] and event["changes"]), events[0])
    yield "an actor", replace(everything, actors=(named["actor_id"],))
    yield "an actor that is not there", replace(everything, actors=("nobody",))
    yield "a target", replace(everything, targets=(TargetKey(named["target_type"], named["target_id"]),))
    yield "a session", replace(everything, sessions=(named["session_id"] or "none",))
    yield "a request", replace(everything, requests=(named["request_id"] or "none",))
    yield "an address", replace(everything, network=ip_network(named["ip"] or "203.0.113.7"))
    yield (
        "a field",
        replace(everything, fields=tuple(change[0] for change in named["changes"][:1]) or ("none",)),
    )
    yield "a field that is not there", replace(everything, fields=("none",))


def _contacts(connection: Connection, account: str) -> Iterator[tuple[str, TargetKey]]:
    sql = (
        "SELECT target_id, count() AS changes FROM contact_events WHERE account_id = {account:String} "
        "GROUP BY target_id ORDER BY changes DESC, target_id"
    )
    found = connection.read(Query(sql, {"account": account})).rows
    yield "the busiest contact's page", TargetKey("contact", found[0][0])
    yield "a usual contact's page", TargetKey("contact", found[len(found) // 2][0])


def _page(group: str, name: str, wanted: Filter) -> Case:
    return Case(
        group=group,
        name=name,
        read=lambda c: list(read_pages(c, wanted, LOG, _ROWS)),
        plain=lambda c: c.read(_plain_page(wanted)),
    )


def _counts(group: str, name: str, wanted: Filter, facet: str) -> Case:
    def read(connection: Connection) -> object:
        return read_facets(connection, wanted, (facet,), _ZONE, 100)

    return Case(group=group, name=name, read=read, plain=read)


def _plain_page(wanted: Filter, after: Cursor | None = None) -> Query:
    bind = Binder()
    conditions = [*wanted.conditions(bind), *(after.conditions(bind) if after else ())]
    chosen = ", ".join(f"{column.sql} AS shown_{column.name}" for column in LOG)
    where = " AND ".join(conditions)
    sql = f"SELECT {chosen} FROM audit_log WHERE {where} {NEWEST_FIRST} LIMIT {bind.number(_ROWS)}"
    return Query(sql, {**bind.parameters, **values(LOG)})
