"""What the monitor shows of a look: no value that could not be read, and none of the last look."""

from datetime import timedelta
from typing import Any

from looks import NOON, look, stored, waiting
from prometheus_client import CollectorRegistry

from audit_schemas.topics import EVENTS, SINK_GROUP
from audit_sinks.errors import Unreachable
from audit_sinks.monitoring.board import Board
from audit_sinks.monitoring.observer import Look
from audit_sinks.verification.checking import Checked, Fault

KAFKA_AWAY: dict[str, Any] = {"kafka": None, "problems": {"Kafka": Unreachable("away")}}
CLICKHOUSE_AWAY: dict[str, Any] = {
    "clickhouse": None,
    "stored": None,
    "problems": {"ClickHouse": Unreachable("away")},
}
OF_KAFKA = {"audit_consumer_lag_records", "audit_consumer_lag_seconds", "audit_safe_for_seconds"}
OF_CLICKHOUSE = {
    "audit_complete_through_timestamp_seconds",
    "audit_activity_overdue_records",
    "audit_dead_letters_open",
}
OF_BOTH = {"audit_doctor_findings"}


class Shown:
    """A board as Prometheus scrapes it."""

    def __init__(self) -> None:
        self.board = Board()
        self._registry = CollectorRegistry()
        self._registry.register(self.board)

    @property
    def names(self) -> set[str]:
        return {sample.name for family in self._registry.collect() for sample in family.samples}

    def value(self, name: str, **labels: str) -> float | None:
        return self._registry.get_sample_value(name, labels)


def shown(seen: Look) -> Shown:
    made = Shown()
    made.board.looked(seen)
    return made


def test_before_the_first_look_there_is_nothing() -> None:
    assert Shown().names == set()


def test_everything_that_was_seen_is_shown() -> None:
    assert shown(look()).names == {
        *OF_KAFKA,
        *OF_CLICKHOUSE,
        *OF_BOTH,
        "audit_monitor_looked_timestamp_seconds",
    }


def test_lag_is_shown_by_partition_and_not_of_the_windows_group() -> None:
    seen = shown(look(waiting(9, NOON - timedelta(minutes=5), partition=2)))
    place = {"group": SINK_GROUP, "topic": EVENTS.name, "partition": "2"}
    assert seen.value("audit_consumer_lag_records", **place) == 9
    assert seen.value("audit_consumer_lag_seconds", **place) == 300
    windows = {"group": "audit-windows", "topic": "audit.contact-changes.v1", "partition": "0"}
    assert seen.value("audit_consumer_lag_records", **windows) is None


def test_the_age_of_records_that_could_not_be_read_is_not_shown_as_0() -> None:
    seen = shown(look(waiting(1, None, partition=2)))
    place = {"group": SINK_GROUP, "topic": EVENTS.name, "partition": "2"}
    assert seen.value("audit_consumer_lag_records", **place) == 1
    assert seen.value("audit_consumer_lag_seconds", **place) is None


def test_a_log_that_is_not_known_to_be_complete_has_no_time() -> None:
    assert shown(look()).value("audit_complete_through_timestamp_seconds") == NOON.timestamp() - 4
    assert shown(look(stored=stored(None))).value("audit_complete_through_timestamp_seconds") is None


def test_of_a_server_that_is_away_nothing_is_left_and_the_time_of_the_look_stands_still() -> None:
    looked, later = "audit_monitor_looked_timestamp_seconds", NOON + timedelta(seconds=15)
    for away, kept in ((KAFKA_AWAY, OF_CLICKHOUSE), (CLICKHOUSE_AWAY, OF_KAFKA)):
        seen = shown(look())
        seen.board.looked(look(at=later, **away))
        assert seen.names == {*kept, looked}
        assert seen.value(looked) == NOON.timestamp()
        seen.board.looked(look(at=later))
        assert seen.value(looked) == later.timestamp()


def test_what_the_last_proof_found_stays_until_the_next_and_says_of_when_it_is() -> None:
    seen = shown(look())
    faults = {"missing": Fault(events=3), "twice": Fault()}
    seen.board.verified(NOON, {"contacts": Checked(checked=9, faults=faults)})
    seen.board.looked(Look(at=NOON, **KAFKA_AWAY))
    assert seen.value("audit_verify_faults", check="contacts", kind="missing") == 3
    assert seen.value("audit_verify_faults", check="contacts", kind="twice") == 0
    assert seen.value("audit_verified_timestamp_seconds") == NOON.timestamp()
    seen.board.verified(NOON, {"contacts": Checked(checked=9, faults={"missing": Fault()})})
    assert seen.value("audit_verify_faults", check="contacts", kind="missing") == 0
    assert seen.value("audit_verify_faults", check="contacts", kind="twice") is None
