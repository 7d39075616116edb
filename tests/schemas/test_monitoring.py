"""The probes of a worker tell its state, and why it is not ready."""

import urllib.error
import urllib.request

import pytest

from audit_schemas.errors import Misconfigured
from audit_schemas.monitoring import Monitor


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_probes_answer_with_the_reason_and_metrics_are_served() -> None:
    wrong: list[str] = []
    monitor = Monitor(0, alive=lambda: None, ready=lambda: wrong[0] if wrong else None)
    try:
        assert get(monitor.port, "/readyz") == (200, "ok\n")
        wrong.append("Kafka does not answer")
        assert get(monitor.port, "/readyz") == (503, "Kafka does not answer\n")
        assert get(monitor.port, "/healthz") == (200, "ok\n")
        assert get(monitor.port, "/else")[0] == 404
        assert "python_info" in get(monitor.port, "/metrics")[1]
    finally:
        monitor.close()


def test_a_taken_port_is_one_clear_line() -> None:
    monitor = Monitor(0, alive=lambda: None, ready=lambda: None)
    try:
        with pytest.raises(Misconfigured, match=f"cannot listen on 127.0.0.1:{monitor.port}"):
            Monitor(monitor.port, alive=lambda: None, ready=lambda: None)
    finally:
        monitor.close()
