"""Runs the checks of `audit verify` again and again, beside the looks: they may take minutes."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from audit_sinks.errors import AuditError
from audit_sinks.monitoring.board import Board
from audit_sinks.monitoring.settings import MonitorSettings
from audit_sinks.verification.examination import Scope, examine

_log = structlog.get_logger(__name__)


class Proof:
    """A thread of its own, which is not waited for: it reads only."""

    def __init__(
        self,
        settings: MonitorSettings,
        board: Board,
        *,
        stopping: threading.Event,
        report: Callable[[AuditError | None], None],
    ) -> None:
        """Begin at once.

        Args:
            settings: how often, and how far back.
            board: shows what was found.
            stopping: when it is set, nothing more is begun.
            report: told what it waits for, or nothing.
        """
        self._settings = settings
        self._board = board
        self._stopping = stopping
        self._report = report
        self._failed: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="verify", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise what has ended the thread, if anything has."""
        if self._failed:
            raise self._failed

    def _run(self) -> None:
        try:
            while not self._stopping.wait(self._verify()):
                pass
        except Exception as error:  # noqa: BLE001 - the main thread raises it
            self._failed = error

    def _verify(self) -> float:
        """Returns: in how many seconds to begin again, soon where a server was away."""
        settings, began = self._settings, time.monotonic()
        since = datetime.now(UTC) - timedelta(hours=settings.monitor_verify_hours)
        try:
            found = examine(settings, Scope(since=since))
        except AuditError as error:
            self._report(error)
            return min(settings.monitor_seconds, settings.monitor_verify_seconds)
        self._report(None)
        self._board.verified(datetime.now(UTC), found)
        wrong = {
            f"{check} {kind}": fault.events
            for check, checked in found.items()
            for kind, fault in checked.faults.items()
            if fault.events
        }
        took = round(time.monotonic() - began, 1)
        (_log.error if wrong else _log.info)("verified", seconds=took, wrong=wrong)
        return settings.monitor_verify_seconds
