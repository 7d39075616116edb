"""The embedded stack with its real parts: what runs, what survives, what is left."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from clickhouse_driver import Client
from command import AUDIT
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from audit_deploy import clickhouse
from audit_deploy.errors import AlreadyRunning, ProgramFailed
from audit_deploy.stack import Stack, running


@pytest.fixture(scope="module")
def servers(tmp_path_factory) -> Iterator[Stack]:
    """Kafka and ClickHouse, for tests that kill them."""
    with running(data_dir=tmp_path_factory.mktemp("stack"), workers=False) as stack:
        yield stack


@pytest.fixture
def data_dir(tmp_path) -> Path:
    return tmp_path / "data"


def _audit(*arguments: str | Path, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [AUDIT, "stack", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


def _native(url: str, database: str) -> str:
    """The URL as clickhouse-driver takes it."""
    return urlsplit(url)._replace(path=f"/{database}", query="").geturl()


def _processes_of(folder: Path) -> list[str]:
    """The command lines that name a folder, of processes that have not ended."""
    return [
        " ".join(process.info["cmdline"])
        for process in psutil.process_iter(["cmdline", "status"])
        if process.info["status"] != psutil.STATUS_ZOMBIE
        and any(str(folder) in argument for argument in process.info["cmdline"] or ())
    ]


def _wait_until_gone(folder: Path) -> list[str]:
    deadline = time.monotonic() + 20
    while (left := _processes_of(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


@contextmanager
def _sleeping_beside_a_stack(data_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`audit stack run` of a command that has begun, names the folder, and would take minutes."""
    begun = data_dir.with_name("begun")
    sleep = f"open({str(begun)!r}, 'w'); import time; time.sleep(300)"
    command = [sys.executable, "-c", sleep, data_dir]
    run = [AUDIT, "stack", "run", "--no-workers", "--data-dir", data_dir, "--", *command]
    with subprocess.Popen(run, start_new_session=True) as process:
        try:
            deadline = time.monotonic() + 60
            while not begun.exists() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
            assert begun.exists(), _logs(data_dir)
            yield process
        finally:
            process.kill()


def _logs(data_dir: Path) -> str:
    return "\n".join(f"{log.name}:\n{log.read_text()[-2000:]}" for log in data_dir.glob("logs/*"))


def test_run_returns_the_commands_exit_code_and_leaves_nothing(data_dir):
    probe = "import os, sys; print(os.environ['AUDIT_KAFKA'], os.environ['AUDIT_CLICKHOUSE']); sys.exit(7)"

    done = _audit("run", "--no-workers", "--data-dir", data_dir, "--", sys.executable, "-c", probe)

    assert done.returncode == 7, done.stderr
    kafka, url = done.stdout.split()
    assert kafka.startswith("127.0.0.1:")
    assert url.startswith("clickhouse://audit_admin:")
    assert _processes_of(data_dir) == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 128 + signal.SIGINT), (signal.SIGTERM, 128 + signal.SIGTERM)]
)
def test_run_ends_with_everything_it_started_on(number, code, data_dir):
    with _sleeping_beside_a_stack(data_dir) as process:
        # A terminal sends Ctrl-C to the whole group; kill sends SIGTERM to one process.
        os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)

        assert process.wait(timeout=60) in {code, 1}  # Python's own KeyboardInterrupt ends with 1 or 130
    assert _processes_of(data_dir) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties processes to their parents")
def test_nothing_is_left_when_run_itself_is_killed(data_dir):
    with _sleeping_beside_a_stack(data_dir) as process:
        process.kill()

    assert _wait_until_gone(data_dir) == []


def test_up_stays_is_named_by_a_second_up_and_its_data_survive_down(data_dir):
    try:
        first = _audit("up", "--no-workers", "--data-dir", data_dir)
        assert first.returncode == 0, first.stderr
        url = json.loads(_audit("status", "--json", "--data-dir", data_dir).stdout)["environment"][
            "AUDIT_CLICKHOUSE"
        ]
        with Client.from_url(_native(url, "default")) as client:
            client.execute("CREATE DATABASE audit")
            client.execute("CREATE TABLE audit.kept (n Int32) ENGINE = MergeTree ORDER BY n")
            client.execute("INSERT INTO audit.kept VALUES", [(42,)])

        second = _audit("up", "--no-workers", "--data-dir", data_dir)
        assert (0, first.stdout) == (second.returncode, second.stdout)
        assert "a stack runs here already" in second.stderr

        assert _audit("down", "--data-dir", data_dir).returncode == 0
        assert _processes_of(data_dir) == []
        status = _audit("status", "--data-dir", data_dir)
        assert (status.returncode, "no stack runs in" in status.stderr) == (3, True)

        again = _audit("up", "--no-workers", "--data-dir", data_dir)
        assert first.stdout == again.stdout
        with Client.from_url(_native(url, "audit")) as client:
            assert client.execute("SELECT n FROM audit.kept") == [(42,)]
    finally:
        _audit("down", "--data-dir", data_dir)
    assert _processes_of(data_dir) == []


def test_status_shows_every_process_and_3_when_one_is_stopped(servers):
    well = _audit("status", "--data-dir", servers.folder.root)
    servers.stop("clickhouse")
    try:
        stopped = _audit("status", "--json", "--data-dir", servers.folder.root)
    finally:
        servers.start("clickhouse")
        servers.wait_ready()

    assert well.returncode == 0
    assert {"kafka", "clickhouse"} <= set(well.stdout.split())
    assert stopped.returncode == 3
    states = {process["name"]: process["state"] for process in json.loads(stopped.stdout)["processes"]}
    assert states == {"kafka": "RUNNING", "clickhouse": "STOPPED"}


def test_kafka_comes_back_after_kill_9_with_its_records_and_port(servers):
    admin = AdminClient({"bootstrap.servers": servers.kafka})
    admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(10)
    producer = Producer({"bootstrap.servers": servers.kafka})
    producer.produce("kept", b"before")
    assert producer.flush(10) == 0
    pid = servers.pid("kafka")

    servers.kill("kafka")
    servers.wait_ready("kafka")

    assert servers.pid("kafka") not in {None, pid}
    consumer = Consumer(
        {"bootstrap.servers": servers.kafka, "group.id": "test", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe(["kept"])
    try:
        record = consumer.poll(20)
        assert record is not None
        assert record.value() == b"before"
    finally:
        consumer.close()


def test_clickhouse_comes_back_after_kill_9_with_its_rows_and_port(servers):
    url = _native(servers.clickhouse, "default")
    with Client.from_url(url) as client:
        client.execute("CREATE DATABASE audit")
        client.execute("CREATE TABLE audit.kept (n Int32) ENGINE = MergeTree ORDER BY n")
        client.execute("INSERT INTO audit.kept VALUES", [(n,) for n in range(1000)])

    servers.kill("clickhouse")
    servers.wait_ready("clickhouse")

    with Client.from_url(url) as client:
        assert client.execute("SELECT count() FROM audit.kept") == [(1000,)]


def _ask(stack: Stack, user: str, password: str, query: str) -> str:
    port = stack.plan.ports["clickhouse-http"]
    headers = {"X-ClickHouse-User": user, "X-ClickHouse-Key": password}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", query.encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()


def test_the_workers_become_ready_and_each_stops_and_starts_alone():
    with running(window="10s") as stack:
        root, others = stack.folder.root, {name: stack.pid(name) for name in ("windows", "sink")}

        stack.stop("processor")
        stopped = stack.pid("processor")
        stack.start("processor")
        stack.wait_ready("processor")
        status = _audit("status", "--data-dir", root)

        assert stopped is None
        assert others == {name: stack.pid(name) for name in others}
        assert stack.environment["AUDIT_WINDOW"] == "10s"
        assert status.returncode == 0, status.stdout
        assert _listed(status.stdout) == ["kafka", "clickhouse", "processor", "windows", "sink"]
    assert not root.exists()
    assert _processes_of(root) == []


def _listed(status: str) -> list[str]:
    """The names in the table of `audit stack status`."""
    _heading, *lines = status.split("\n\n", 1)[0].splitlines()
    return [line.split()[0] for line in lines]


def test_only_the_administrator_writes_and_nobody_reads_without_a_password(servers):
    passwords = clickhouse.passwords(servers.folder.credentials)
    admin, reader = passwords[clickhouse.ADMIN], passwords[clickhouse.READER]
    _ask(servers, clickhouse.ADMIN, admin, "CREATE DATABASE IF NOT EXISTS audit")
    _ask(servers, clickhouse.ADMIN, admin, "CREATE TABLE audit.secret (n Int8) ENGINE = MergeTree ORDER BY n")

    assert _ask(servers, clickhouse.READER, reader, "SELECT count() FROM audit.secret") == "0\n"
    assert "ACCESS_DENIED" in _ask(servers, clickhouse.READER, reader, "INSERT INTO audit.secret VALUES (1)")
    assert "ACCESS_DENIED" in _ask(servers, "default", "", "SELECT count() FROM audit.secret")
    assert "ACCESS_DENIED" in _ask(servers, "default", "", "SELECT query FROM system.processes")
    assert "AUTHENTICATION_FAILED" in _ask(servers, clickhouse.ADMIN, "", "SELECT 1")


def test_a_second_stack_in_the_same_folder_is_refused(servers):
    with pytest.raises(AlreadyRunning, match="a stack runs in"), running(data_dir=servers.folder.root):
        pass


def test_a_port_in_use_is_one_line_without_a_traceback(data_dir):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = _audit("up", "--no-workers", "--data-dir", data_dir, "--kafka-port", str(port))

    assert done.returncode == 1
    assert f"error: port {port} for kafka is in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_part_that_keeps_ending_is_reported_with_its_last_lines(data_dir):
    with running(data_dir=data_dir, workers=False):
        pass
    meta = data_dir / "kafka" / "data" / "meta.properties"
    meta.write_text(meta.read_text().replace("node.id=1", "node.id=9"))

    with pytest.raises(ProgramFailed) as failed, running(data_dir=data_dir, workers=False):
        pass

    assert "kafka keeps ending; its last lines:" in failed.value.message
    assert "node id" in failed.value.message
    assert "kafka.log" in failed.value.remedy
    assert _processes_of(data_dir) == []
