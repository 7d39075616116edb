"""The stack's Kafka: one KRaft process that is broker and controller."""

import base64
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from audit_deploy import jars, java, ports
from audit_deploy.errors import ProgramFailed

_DAYS_30 = 30 * 24 * 60
_MIB = 1024 * 1024


def properties(*, port: int, controller_port: int, data: Path) -> str:
    """Kafka's configuration, as its properties file."""
    settings = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{ports.HOST}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{ports.HOST}:{port},CONTROLLER://{ports.HOST}:{controller_port}",
        "log.dirs": data,
        # Topics are declared, never made by a typing error.
        "auto.create.topics.enable": "false",
        "num.partitions": 1,
        # One node: its own topics cannot be replicated.
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 8,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 8,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        # At least as long as the records that they count.
        "offsets.retention.minutes": _DAYS_30,
        # The largest step of the topics' ladder of sizes, with room for the envelope of a batch.
        "message.max.bytes": 21 * _MIB,
        "replica.fetch.max.bytes": 21 * _MIB,
        "socket.request.max.bytes": 100 * _MIB,
        # A developer's group starts at once, and a killed worker is missed soon.
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        # After kill -9 the broker is let in again only when its own old session has ended.
        "broker.heartbeat.interval.ms": 500,
        "broker.session.timeout.ms": 3000,
        "log.cleaner.dedupe.buffer.size": 8 * _MIB,
        "unclean.leader.election.enable": "false",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def configure(folder: Path, *, port: int, controller_port: int) -> Path:
    """Write the configuration below a folder and format the log the first time.

    Returns:
        The properties file.

    Raises:
        JarsMissing: the jars were not fetched.
        ProgramFailed: Kafka refuses to format the folder.
    """
    data, file = folder / "data", folder / "server.properties"
    file.write_text(properties(port=port, controller_port=controller_port, data=data))
    if not (data / "meta.properties").exists():
        _format(file)
    return file


def command(config: Path) -> list[str]:
    """The command that runs the broker."""
    at = jars.folder()
    return java.command(jars.class_path(at), "kafka.Kafka", config, cache=java.class_cache(at))


def unready(port: int) -> str | None:
    """Why the broker does not answer yet, or nothing."""
    try:
        socket.create_connection((ports.HOST, port), timeout=1).close()
    except OSError as error:
        return f"port {port}: {error.strerror or error}"
    client = AdminClient(
        {"bootstrap.servers": f"{ports.HOST}:{port}", "socket.timeout.ms": 2000, "log_level": 0}
    )
    try:
        client.list_topics(timeout=2)
    except KafkaException as error:
        return str(error.args[0].str())
    return None


def record_class_cache() -> bool:
    """Run a broker once, so that every later one starts from its loaded classes.

    Returns:
        Whether there is a class cache now.
    """
    at = jars.folder()
    cache = java.class_cache(at)
    with tempfile.TemporaryDirectory(prefix="audit-kafka-") as scratch:
        free = ports.choose(["broker", "controller"], given={}, last={})
        config = configure(Path(scratch), port=free["broker"], controller_port=free["controller"])
        # Complete or not there at all: Java trusts what it finds.
        part = cache.with_suffix(".part")
        recording = java.command(jars.class_path(at), "kafka.Kafka", config, cache=part, record=True)
        with subprocess.Popen(recording, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as broker:
            deadline = time.monotonic() + 30
            while broker.poll() is None and time.monotonic() < deadline and unready(free["broker"]):
                time.sleep(0.1)
            broker.send_signal(signal.SIGTERM)
    if part.exists():
        part.replace(cache)
    return cache.exists()


def cluster_id(make: Callable[[], uuid.UUID]) -> str:
    """A cluster's id as Kafka writes it, but none that an argument parser takes for an option."""
    while (made := base64.urlsafe_b64encode(make().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return made


def _format(config: Path) -> None:
    at = jars.folder()
    arguments = ["format", "-t", cluster_id(uuid.uuid4), "-c", str(config)]
    storage = java.command(
        jars.class_path(at), "kafka.tools.StorageTool", *arguments, cache=java.class_cache(at)
    )
    done = subprocess.run(storage, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ProgramFailed(
            f"kafka cannot format {config.parent}: {done.stderr.strip()}\n{done.stdout.strip()}"
        )
