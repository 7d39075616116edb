"""The real Kafka and the real ClickHouse, for every test that needs them.

Containers where a Docker daemon answers, else the embedded stack. Tests that kill servers use the
embedded stack by itself, since they need its processes.
"""

import os
import subprocess
from collections.abc import Iterator
from typing import Protocol

import pytest
from command import AUDIT
from containers import containers, docker_answers
from hypothesis import settings

from audit_deploy.stack import running

settings.register_profile("everyday", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("everyday")


class Servers(Protocol):
    """A Kafka and a ClickHouse."""

    @property
    def kafka(self) -> str:
        """Bootstrap servers."""

    @property
    def clickhouse(self) -> str:
        """A clickhouse:// URL."""

    @property
    def environment(self) -> dict[str, str]:
        """What an `audit` command needs to reach them."""


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """The two servers as they come, without topics or tables."""
    with containers() if docker_answers() else running(workers=False) as started:
        yield started


@pytest.fixture(scope="session")
def stack(servers: Servers) -> Servers:
    """The two servers with the topics and the tables; no workers."""
    environment = {**os.environ, **servers.environment}
    for command in (["topics", "apply"], ["migrate", "up"]):
        subprocess.run([AUDIT, *command], env=environment, check=True, capture_output=True, text=True)
    return servers
