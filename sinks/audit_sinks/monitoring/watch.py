"""The monitor's loop: look, show, wait."""

import threading
from contextlib import closing
from functools import partial

from audit_schemas.health import Health
from audit_sinks.errors import AuditError
from audit_sinks.monitoring.board import Board
from audit_sinks.monitoring.observer import Observer
from audit_sinks.monitoring.proof import Proof
from audit_sinks.monitoring.settings import MonitorSettings

_SOON = 1.0
"""Seconds to the next look while a server is away."""


class Watch:
    """Looks until it is stopped, whatever is away."""

    def __init__(self, settings: MonitorSettings, board: Board) -> None:
        self.health = Health({"look": "has not looked yet"})
        self._settings = settings
        self._board = board
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Ask `run` to return; may be called by a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Work until `stop` is called; a look that has begun is finished."""
        report = partial(self._report, "verify")
        proof = Proof(self._settings, self._board, stopping=self._stopping, report=report)
        with closing(Observer(self._settings)) as observer:
            while not self._stopping.is_set():
                self.health.beat()
                look = observer.look()
                self._board.looked(look)
                self.health.report("look", None)
                for part in ("Kafka", "ClickHouse"):
                    self._report(part, look.problems.get(part))
                proof.check()
                self._stopping.wait(_SOON if look.problems else self._settings.monitor_seconds)

    def _report(self, part: str, problem: AuditError | None) -> None:
        """Once an outage: the clients' words for one and the same change from attempt to attempt."""
        if problem is None or not self.health.waits(part):
            self.health.report(part, problem.message if problem else None)
