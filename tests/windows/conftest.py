"""A stack of this folder's own, since its broker is killed here; the sink runs throughout."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from clickhouse_driver import Client
from command import AUDIT
from sinking import running_sink

from audit_deploy.control import Stack
from audit_deploy.stack import running
from audit_schemas.settings import ClickHouse

from .judge import Judge
from .log import Log
from .rig import Rig
from .workers import crew


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Topics, tables and a sink; its own kills are tested elsewhere."""
    with running(data_dir=tmp_path_factory.mktemp("stack"), workers=False) as stack:
        environment = {**os.environ, **stack.environment}
        for command in (["topics", "apply"], ["migrate", "up"]):
            subprocess.run([AUDIT, *command], env=environment, check=True, capture_output=True, text=True)
        with running_sink(stack.environment):
            yield stack


@pytest.fixture(scope="session")
def seed() -> int:
    """Of all random choices of this run; AUDIT_SEED repeats them."""
    return int(os.environ.get("AUDIT_SEED") or time.time())


@pytest.fixture
def rig(pipeline: Stack, seed: int, tmp_path: Path) -> Iterator[Rig]:
    print(f"AUDIT_SEED={seed}")
    server = ClickHouse.from_url(pipeline.clickhouse)
    password = server.password.get_secret_value()
    log = Log(pipeline.kafka)
    with (
        Client(server.host, server.port, server.database, server.user, password) as client,
        crew(pipeline.environment, tmp_path) as workers,
    ):
        yield Rig(pipeline, workers, Judge(log, client), Random(seed), tmp_path)
    log.close()
