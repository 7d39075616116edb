"""What a stack consists of: one definition, from which everything is started, awaited, shown and stopped."""

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from audit_deploy import clickhouse, kafka
from audit_deploy.folder import Folder
from audit_deploy.ports import HOST

KAFKA, CONTROLLER, CLICKHOUSE, CLICKHOUSE_HTTP = "kafka", "kafka-controller", "clickhouse", "clickhouse-http"

SERVERS = (KAFKA, CLICKHOUSE)

WORKERS: Mapping[str, tuple[str, ...]] = {
    "processor": ("processor", "run"),
    "windows": ("windows", "run"),
    "sink": ("sink", "run"),
}
"""Name and `audit` command of each worker."""

PREPARATIONS: tuple[tuple[str, ...], ...] = (("topics", "apply"), ("migrate", "up"))
"""`audit` commands that run between the servers and the workers, side by side; each may be repeated."""


@dataclass(frozen=True)
class Program:
    """One process of the stack."""

    name: str
    command: list[str]
    port: int
    """What its users connect to; a worker's serves its health and metrics."""
    unready: Callable[[], str | None]
    """Why it is not ready to be used, or nothing. Blocks for some seconds at most."""
    environment: Mapping[str, str]

    @property
    def is_server(self) -> bool:
        """Whether it starts first and stops last."""
        return self.name in SERVERS


def port_names(*, workers: bool) -> list[str]:
    """Every port that a stack listens on."""
    return [KAFKA, CONTROLLER, CLICKHOUSE, CLICKHOUSE_HTTP, *(WORKERS if workers else ())]


def programs(folder: Folder, ports: Mapping[str, int]) -> list[Program]:
    """The processes of a stack whose folder is configured.

    Args:
        folder: the stack's.
        ports: what has one belongs to it; a stack that an older version started has fewer workers.

    Raises:
        JarsMissing: Kafka's jars were not fetched.
    """
    native, http = ports[CLICKHOUSE], ports[CLICKHOUSE_HTTP]
    servers = [
        Program(
            KAFKA,
            kafka.command(folder.kafka / "server.properties"),
            ports[KAFKA],
            lambda: kafka.unready(ports[KAFKA]),
            {},
        ),
        Program(
            CLICKHOUSE,
            clickhouse.command(folder.clickhouse, folder.credentials, http_port=http),
            native,
            lambda: clickhouse.unready(native, http),
            {},
        ),
    ]
    return servers + [_worker(name, ports[name]) for name in WORKERS if name in ports]


def audit(*arguments: str) -> list[str]:
    """An `audit` command of this installation, whatever the path says."""
    return [sys.executable, "-c", "from audit_schemas.cli import main; main()", *arguments]


def _worker(name: str, port: int) -> Program:
    return Program(
        name,
        audit(*WORKERS[name]),
        port,
        lambda: _answer(f"http://{HOST}:{port}/readyz"),
        {"AUDIT_HTTP_PORT": str(port), "PYTHONUNBUFFERED": "1"},
    )


def _answer(url: str) -> str | None:
    try:
        urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - always http
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode(errors="replace").strip() or error.reason
    except urllib.error.URLError as error:
        return str(error.reason)
    except OSError as error:
        return error.strerror or os.strerror(error.errno or 0)
    return None
