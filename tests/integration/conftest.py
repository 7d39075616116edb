"""What the exporter's tests read: a connection, and an account's log of their own."""

import pytest
from log_rows import Log

from audit_exporter.clickhouse import Connection
from audit_schemas.settings import ClickHouse


@pytest.fixture(scope="module")
def connection(stack):
    with Connection(ClickHouse.from_url(stack.clickhouse)) as connection:
        yield connection


@pytest.fixture
def log(stack):
    log = Log(stack.clickhouse)
    yield log
    log.close()
