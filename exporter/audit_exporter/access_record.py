"""Lets readers in, and tells the log of it: no reading that is to be recorded goes without its record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from audit_exporter.access import Need, Reader, is_known
from audit_exporter.access_events import Reading, reading_event, refusal_event
from audit_exporter.clickhouse import Connection
from audit_exporter.errors import AccessRefused
from audit_schemas import own_events
from audit_schemas.errors import AuditError, Misconfigured
from audit_schemas.event import Principal

Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRecord:
    """Where the log is told who reads it."""

    kafka: str
    """Bootstrap servers; without them refusals are not recorded, and nothing is read that must be."""
    operator_account: str
    """Keeps the refusals of accounts that nobody has."""
    command: str
    asked: Mapping[str, Any]
    """The command's options."""
    warn: Warn

    def let_in(self, connection: Connection, need: Need, authorize: Callable[[], Reader]) -> Reader:
        """Ask `authorize`, and record what came of it.

        Raises:
            AccessRefused: as `authorize` does; the refusal is recorded where that is possible.
            Misconfigured, Unreachable: the reading must be recorded and cannot be: it does not take place.
        """

        def reading(viewer: Principal) -> Reading:
            return Reading(
                operator=own_events.current_user(),
                viewer=viewer,
                need=need,
                command=self.command,
                asked=self.asked,
                at=datetime.now(UTC),
            )

        try:
            reader = authorize()
        except AccessRefused as refusal:
            self._record_refusal(connection, refusal, reading(refusal.actor))
            raise
        if reader.recorded:
            self._record(reader, reading(reader.actor))
        return reader

    def _record(self, reader: Reader, reading: Reading) -> None:
        if not self.kafka:
            raise Misconfigured(
                f"account {reader.recorded[0]!r} wants every reading recorded, and Kafka is not known",
                remedy="set AUDIT_KAFKA",
            )
        own_events.record_all(self.kafka, [reading_event(account, reading) for account in reader.recorded])

    def _record_refusal(self, connection: Connection, refusal: AccessRefused, reading: Reading) -> None:
        if not self.kafka:
            self.warn("this refusal is not recorded: AUDIT_KAFKA is not set")
            return
        kept_in = refusal.account if is_known(connection, refusal.account) else self.operator_account
        event = refusal_event(refusal.account, reading, refusal.message, kept_in=kept_in)
        try:
            own_events.record(self.kafka, event)
        except AuditError as error:
            self.warn(f"this refusal is not recorded: {error.message}")
