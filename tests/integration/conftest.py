"""What several integration tests read: the log as the exporter does, or a database as the sink fills it."""

from collections.abc import Iterator
from typing import Any

import pytest
import sinking
from log_rows import Log

from audit_exporter.clickhouse import Connection
from audit_schemas.settings import ClickHouse
from audit_sinks.clickhouse import connect


@pytest.fixture(scope="module")
def connection(stack):
    with Connection(ClickHouse.from_url(stack.clickhouse)) as connection:
        yield connection


@pytest.fixture
def log(stack):
    log = Log(stack.clickhouse)
    yield log
    log.close()


@pytest.fixture(scope="module")
def clickhouse(servers: Any, request: pytest.FixtureRequest) -> Iterator[ClickHouse]:
    """A database with our tables, for one module of tests alone."""
    with sinking.database(servers.clickhouse, request.module.__name__.rpartition(".")[2]) as clickhouse:
        yield clickhouse


@pytest.fixture
def client(clickhouse: ClickHouse) -> Iterator[Any]:
    """Its tables of events, empty."""
    with connect(clickhouse) as client:
        for table in ("audit_events", "contact_events", "contact_batches"):
            client.execute(f"TRUNCATE TABLE {table}")
        yield client
