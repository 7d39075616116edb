"""Kafka and ClickHouse in containers, for machines where a Docker daemon answers."""

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import docker
from testcontainers.community.clickhouse import ClickHouseContainer
from testcontainers.community.kafka import KafkaContainer

KAFKA_IMAGE = "confluentinc/cp-kafka:8.1.0"
CLICKHOUSE_IMAGE = "clickhouse/clickhouse-server:26.3"


@dataclass(frozen=True)
class Containers:
    """The addresses of two running containers."""

    kafka: str
    clickhouse: str

    @property
    def environment(self) -> dict[str, str]:
        """What an `audit` command needs to reach them."""
        return {"AUDIT_KAFKA": self.kafka, "AUDIT_CLICKHOUSE": self.clickhouse}


def docker_answers() -> bool:
    """Whether a Docker daemon can be used from here."""
    with warnings.catch_warnings():
        # docker's client leaves its socket open when nobody listens.
        warnings.simplefilter("ignore", ResourceWarning)
        answers = _answers()
        gc.collect()
    return answers


def _answers() -> bool:
    try:
        return bool(docker.from_env(timeout=3).ping())
    except docker.errors.DockerException:
        return False


@contextmanager
def containers() -> Iterator[Containers]:
    """Run both for as long as the block lasts."""
    kafka = KafkaContainer(KAFKA_IMAGE).with_kraft()
    clickhouse = ClickHouseContainer(CLICKHOUSE_IMAGE, username="audit", password="audit")
    with kafka, clickhouse:
        host, native, http = (
            clickhouse.get_container_host_ip(),
            clickhouse.get_exposed_port(9000),
            clickhouse.get_exposed_port(8123),
        )
        yield Containers(
            kafka=kafka.get_bootstrap_server(),
            clickhouse=f"clickhouse://audit:audit@{host}:{native}/audit?http_port={http}",
        )
