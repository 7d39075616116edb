"""/healthz, /readyz and /metrics of a long-running worker, served beside its work."""

import threading
from collections.abc import Callable, Iterable
from typing import Any, cast
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import REGISTRY, CollectorRegistry, make_wsgi_app

from audit_schemas.errors import Misconfigured

Check = Callable[[], str | None]
"""Says what is wrong, or nothing."""


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Probes come every few seconds: they are no news."""


class Monitor:
    """Serves the three paths until it is closed.

    /healthz answers 200 while `alive` finds nothing wrong, /readyz while `ready` does not; otherwise
    503 with the reason as text. A liveness probe restarts the worker, so `alive` must not look at
    Kafka or ClickHouse: their being away is a reason to wait.
    """

    def __init__(
        self,
        port: int,
        *,
        alive: Check,
        ready: Check,
        host: str = "127.0.0.1",
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        """Listen at once.

        Raises:
            Misconfigured: the port is taken.
        """
        self._checks = {"/healthz": alive, "/readyz": ready}
        self._metrics = make_wsgi_app(registry)
        try:
            self._server = make_server(host, port, self._answer, WSGIServer, _Quiet)
        except OSError as error:
            raise Misconfigured(
                f"cannot listen on {host}:{port}: {error.strerror}",
                remedy="set AUDIT_HTTP_PORT to a free port, or to 0 for any",
            ) from None
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, name="monitor", daemon=True)
        self._thread.start()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            return cast("Iterable[bytes]", self._metrics(environ, start_response))
        check = self._checks.get(path)
        status, text = ("404 Not Found", "not found") if check is None else _state(check())
        start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
        return [f"{text}\n".encode()]

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


def _state(wrong: str | None) -> tuple[str, str]:
    return ("200 OK", "ok") if wrong is None else ("503 Service Unavailable", wrong)
