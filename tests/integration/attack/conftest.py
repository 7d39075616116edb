"""Log-ins for as long as the tests of a module run."""

import os
import subprocess
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from command import AUDIT
from pydantic import SecretStr

from audit_schemas.settings import ClickHouse


@pytest.fixture(scope="module")
def log_in(stack) -> Iterator[Callable[..., ClickHouse]]:
    """Makes a log-in of a role, of the accounts that are named or of all, as `audit user` does."""
    if "AUDIT_CLICKHOUSE_USERS" not in stack.environment:
        pytest.skip("the server's configuration is out of reach")
    environment = {**os.environ, **stack.environment}
    made = []

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [AUDIT, "user", *arguments], env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def make(role: str, *accounts: str) -> ClickHouse:
        name = f"{role}-{uuid4().hex[:8]}"
        scope = [part for account in accounts for part in ("--account", account)] or ["--all-accounts"]
        password = run("create", name, "--role", role, *scope)
        made.append(name)
        server = ClickHouse.from_url(stack.clickhouse)
        return server.model_copy(update={"user": name, "password": SecretStr(password)})

    yield make
    for name in made:
        run("remove", name, "--no-wait")
