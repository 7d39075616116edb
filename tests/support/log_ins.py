"""Makes log-ins to ClickHouse by `audit user`, and takes them away again."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from command import AUDIT
from pydantic import SecretStr

from audit_schemas.settings import ClickHouse

LogIn = Callable[..., ClickHouse]
"""Makes a log-in of a role, of the accounts that are named or of all; the server, as that user."""


@contextmanager
def log_ins(stack: Any) -> Iterator[LogIn]:
    """For as long as the block runs."""
    if "AUDIT_CLICKHOUSE_USERS" not in stack.environment:
        pytest.skip("the server's configuration is out of reach")
    environment = {**os.environ, **stack.environment}
    made = []

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [AUDIT, "user", *arguments], env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def make(role: str, *accounts: str, wait: bool = True) -> ClickHouse:
        name = f"{role}-{uuid4().hex[:8]}"
        bound = role in {"analyst", "exporter"}
        scope = [part for account in accounts for part in ("--account", account)] or [
            "--all-accounts"
        ] * bound
        password = run("create", name, "--role", role, *scope, "--wait" if wait else "--no-wait")
        made.append(name)
        server = ClickHouse.from_url(stack.clickhouse)
        return server.model_copy(update={"user": name, "password": SecretStr(password)})

    try:
        yield make
    finally:
        for name in made[:-1]:
            run("remove", name, "--no-wait")
        for name in made[-1:]:
            run("remove", name)
