"""The embedded stack with its workers, shared by the tests of this folder."""

import os
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from clickhouse_driver import Client
from command import AUDIT, Audit, Rows
from place_files import GEOLITE_ASN, GEOLITE_CITY, geolite_place, owner, write

from audit_deploy.control import Stack
from audit_deploy.stack import running
from audit_schemas.settings import ClickHouse


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Its processor finds databases in which 5.1.2.0/24 is in Berlin."""
    places = tmp_path_factory.mktemp("places")
    write(places / "city.mmdb", GEOLITE_CITY, {"5.1.2.0/24": geolite_place("DE", "Germany", "Berlin")})
    write(places / "asn.mmdb", GEOLITE_ASN, {"5.1.2.0/24": owner("Example Net AG")})
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AUDIT_PLACES", str(places))
        with running() as started:
            yield started


@pytest.fixture
def audit(pipeline: Stack) -> Audit:
    """Runs an `audit` command beside the stack."""

    def run(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **pipeline.environment}
        return subprocess.run(
            [AUDIT, *arguments],
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


@pytest.fixture
def rows(pipeline: Stack) -> Iterator[Rows]:
    """Asks ClickHouse until there is an answer with rows, at most ten seconds."""
    server = ClickHouse.from_url(pipeline.clickhouse)
    password = server.password.get_secret_value()

    def ask(query: str) -> list[dict[str, Any]]:
        end = time.monotonic() + 10
        while not (found := _rows(client, query)) and time.monotonic() < end:
            time.sleep(0.1)
        return found

    with Client(server.host, server.port, server.database, server.user, password) as client:
        yield ask


def _rows(client: Client, query: str) -> list[dict[str, Any]]:
    found, columns = client.execute(query, with_column_types=True)
    return [dict(zip((name for name, _ in columns), row, strict=True)) for row in found]
