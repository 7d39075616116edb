"""Stored events are worded anew on the real ClickHouse, and nothing else of them changes."""

from datetime import UTC, datetime, timedelta
from typing import Any

from enriching import START, contact_batch, contact_change, enriched, message
from sinking import insert

from audit_schemas import topics
from audit_schemas.catalogue import Rule, catalogue
from audit_schemas.event import Target
from audit_schemas.settings import ClickHouse
from audit_schemas.wire import encode
from audit_sinks.reenriching.reenrich import Reenrichment
from audit_sinks.reenriching.sql import TABLES, Scope
from audit_sinks.verification import checking
from audit_sinks.verification.contact_check import check_contact_activity

REPLACED = {"module", "description", "description_key", "named_by_producer", "catalogue_version"}
NEWER = catalogue().model_copy(
    update={
        "version": 2001,
        "modules": {**catalogue().modules, "crm": "CRM"},
        "rules": (Rule(module="crm", target_types=frozenset({"contact"})), *catalogue().rules),
        "targets": {},
        "templates": {**catalogue().templates, "changed_many": "Wrote {labels} of {target}"},
    }
)
WORDED = ("crm", "Wrote Phone, City, Note of Grace Hopper", "changed_many", 2001)


def reenrich(client: Any, scope: Scope | None = None, *, chunk: int = 7, **given: Any) -> dict[str, int]:
    """Run it; returns the rows worded by table."""
    run = Reenrichment(client=client, catalogue=NEWER, scope=scope or Scope(), chunk=chunk, **given)
    found: dict[str, int] = {}
    for summaries in run.run():
        found = {name: summary.rows for name, summary in summaries.items()}
    return found


def others(client: Any, table: str) -> dict[Any, Any]:
    """By event, a hash of every column that must not change, `stored_at` among them."""
    columns = client.execute(
        "SELECT name, startsWith(type, 'Nullable') FROM system.columns "
        "WHERE database = currentDatabase() AND table = %(table)s",
        {"table": table},
    )
    kept = [
        f"isNull({name}), ifNull({name}, 0)" if nullable else name
        for name, nullable in columns
        if name not in REPLACED and not (name == "version" and table == "audit_events")
    ]
    assert len(kept) > 45
    return dict(client.execute(f"SELECT event_id, cityHash64({', '.join(kept)}) FROM {table} FINAL"))


def wordings(client: Any, table: str) -> set[tuple[Any, ...]]:
    sql = f"SELECT DISTINCT module, description, description_key, catalogue_version FROM {table} FINAL"
    return {tuple(row) for row in client.execute(sql)}


def fill(clickhouse: ClickHouse, count: int, **given: Any) -> None:
    target = Target(type="contact", id="c", name="Grace Hopper")
    insert(clickhouse, topics.EVENTS.name, *[message(n, target=target, **given) for n in range(1, count + 1)])


def test_every_row_is_worded_by_the_newer_catalogue_and_nothing_else_changes(
    clickhouse: ClickHouse, client: Any
) -> None:
    fill(clickhouse, 40)
    changes = [
        contact_change(n, START, target=Target(type="contact", id="c", name="Grace Hopper"))
        for n in range(1, 30)
    ]
    insert(clickhouse, topics.CONTACT_BATCHES.name, contact_batch(*changes))
    before = {table.name: others(client, table.name) for table in TABLES}
    assert reenrich(client) == {"audit_events": 40, "contact_events": 29}
    assert {table.name: others(client, table.name) for table in TABLES} == before
    for table in TABLES:
        assert wordings(client, table.name) == {WORDED}
    client.execute("OPTIMIZE TABLE contact_events FINAL")
    assert wordings(client, "contact_events") == {WORDED}
    assert client.execute("SELECT count() FROM contact_activity") == [(29,)]


def test_a_second_run_finds_nothing_and_an_interrupted_one_is_gone_on_with(
    clickhouse: ClickHouse, client: Any
) -> None:
    fill(clickhouse, 20)
    interrupted = Reenrichment(client=client, catalogue=NEWER, chunk=7).run()
    next(interrupted)
    interrupted.close()
    assert reenrich(client) == {"audit_events": 13, "contact_events": 0}
    assert reenrich(client) == {}
    assert wordings(client, "audit_events") == {WORDED}


def test_a_dry_run_says_what_would_change_and_changes_nothing(clickhouse: ClickHouse, client: Any) -> None:
    fill(clickhouse, 9)
    run = Reenrichment(client=client, catalogue=NEWER, dry_run=True, chunk=4)
    assert run.waiting() == {"audit_events": 9, "contact_events": 0}
    summary = list(run.run())[-1]["audit_events"]
    assert (summary.rows, summary.sentences, dict(summary.modules)) == (9, 9, {("contacts", "crm"): 9})
    assert summary.examples[0].now == WORDED[:3]
    assert run.waiting()["audit_events"] == 9


def test_only_the_scope_is_worded(clickhouse: ClickHouse, client: Any) -> None:
    fill(clickhouse, 20, account="a")
    insert(clickhouse, topics.EVENTS.name, message(21, account="b"), first=20)
    at = [enriched(n).occurred_at for n in range(21)]
    scope = Scope(account="a", since=at[5], until=at[9])
    assert reenrich(client, scope) == {"audit_events": 4, "contact_events": 0}
    found = client.execute(
        "SELECT min(occurred_at), max(occurred_at) FROM audit_events FINAL WHERE catalogue_version = 2001"
    )
    assert found == [(at[5], at[8])]


def test_a_row_that_changed_since_it_was_read_is_left_for_the_next_run(
    clickhouse: ClickHouse, client: Any
) -> None:
    fill(clickhouse, 3)

    class Meanwhile(Reenrichment):
        """The sink stores an earlier copy of an event between the reading and the copy."""

        def _copy(self, *given: Any) -> None:
            early = enriched(2).received_at - timedelta(milliseconds=500)
            insert(clickhouse, topics.EVENTS.name, message(2, received_at=early, reason="first"), first=100)
            super()._copy(*given)

    list(Meanwhile(client=client, catalogue=NEWER).run())
    versions = "SELECT catalogue_version, reason FROM audit_events FINAL WHERE event_id = %(id)s"
    assert client.execute(versions, {"id": enriched(2).id}) == [(1, "first")]
    assert reenrich(client) == {"audit_events": 1, "contact_events": 0}
    assert client.execute(versions, {"id": enriched(2).id}) == [(2001, "first")]


def test_the_contacts_activity_still_agrees_with_the_log(clickhouse: ClickHouse, client: Any) -> None:
    target = Target(type="contact", id="c")
    live = [contact_change(n, START, target=target) for n in (1, 2)]
    imported = contact_change(3, None, target=target)
    elsewhere = contact_change(4, None, target=target, module="developer")
    for number, event in enumerate([*live, imported, elsewhere]):
        insert(clickhouse, topics.EVENTS.name, encode(event), first=number)
    insert(clickhouse, topics.CONTACT_BATCHES.name, contact_batch(*live))
    insert(clickhouse, topics.CONTACT_BATCHES.name, contact_batch(imported), first=1)
    reenrich(client)
    sources = checking.Sources(client=client, kafka="", now=datetime.now(UTC))
    checked = check_contact_activity(sources, checking.Scope(grace=timedelta(0)))
    assert {kind: fault.events for kind, fault in checked.faults.items()} == dict.fromkeys(checked.faults, 0)
    assert client.execute("SELECT count() FROM contact_activity") == [(3,)]
