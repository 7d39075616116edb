"""What /metrics shows of the monitor: the last look and the last proof, each replaced as a whole."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from audit_schemas import metrics
from audit_sinks.monitoring.families import families
from audit_sinks.monitoring.observer import Look
from audit_sinks.verification.checking import Checked


class Board(Collector):
    """Written by the monitor, read by any thread."""

    def __init__(self) -> None:
        self._look: Look | None = None
        self._looked_at: datetime | None = None
        self._verified_at: datetime | None = None
        self._faults: Mapping[tuple[str, ...], float] = {}

    def looked(self, look: Look) -> None:
        """Show what was seen. Of a look that was not whole its time does not count."""
        self._look = look
        if look.whole:
            self._looked_at = look.at

    def verified(self, at: datetime, found: Mapping[str, Checked]) -> None:
        """Show what the checks have found, until they have run again: it stays true of its time."""
        self._faults = {
            (check, kind): fault.events
            for check, checked in found.items()
            for kind, fault in checked.faults.items()
        }
        self._verified_at = at

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All of it, for one scrape."""
        if look := self._look:
            yield from families(look)
        if at := self._looked_at:
            yield metrics.LOOKED_AT.family({(): at.timestamp()})
        if at := self._verified_at:
            yield metrics.VERIFIED_AT.family({(): at.timestamp()})
            yield metrics.VERIFY_FAULTS.family(self._faults)
