import re
from datetime import UTC, datetime

import pytest

from audit_sinks.errors import MigrationChanged
from audit_sinks.migrations import SINGLE_SERVER, Applied, Migration, load, pending

NOW = datetime(2026, 3, 2, tzinfo=UTC)
REPEATABLE = "CREATE TABLE IF NOT EXISTS|CREATE VIEW IF NOT EXISTS|CREATE OR REPLACE VIEW|ALTER TABLE"
CLUSTER = {
    "on_cluster": "ON CLUSTER '{cluster}'",
    "replicated": "Replicated",
    "replica": "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}', ",
    "deduplication": "replicated_deduplication_window = 10000",
}


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [migration.number for migration in load()] == list(range(1, len(load()) + 1))


def test_what_is_applied_is_not_pending() -> None:
    first, *rest = load()
    assert pending(load(), {1: Applied(first.checksum, NOW)}) == rest


def test_an_applied_migration_that_changed_is_refused_by_name() -> None:
    with pytest.raises(MigrationChanged, match="0001_audit_events was applied at 2026-03-02"):
        pending(load(), {1: Applied("0" * 64, NOW)})


@pytest.mark.parametrize("rendering", [SINGLE_SERVER, CLUSTER], ids=["single server", "cluster"])
@pytest.mark.parametrize("migration", load(), ids=lambda migration: migration.name)
def test_each_rendering_fills_every_placeholder(migration: Migration, rendering: dict[str, str]) -> None:
    for statement in migration.statements({"database": "audit", **rendering}):
        assert "${" not in statement
        assert re.search(rf"({REPEATABLE}) audit\.", statement)


def test_a_clusters_tables_are_replicated_and_keep_their_version_column() -> None:
    (statement,) = load()[0].statements({"database": "audit", **CLUSTER})
    assert "ON CLUSTER '{cluster}'" in statement
    assert (
        "ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', version)"
        in statement
    )
