"""The metrics of every part, in one commented catalogue. Never an account as a label."""

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client import Counter, Gauge, Histogram, Info
from prometheus_client.core import GaugeMetricFamily


@dataclass(frozen=True, slots=True)
class Observed:
    """A gauge that is there only while its value is known.

    A Gauge of the library begins at 0 in every process that imports this catalogue: each worker would say
    that the pipeline is safe for no second. It also keeps its last value while nobody knows the present one.
    """

    name: str
    documentation: str
    labels: tuple[str, ...] = ()

    def family(self, values: Mapping[tuple[str, ...], float]) -> GaugeMetricFamily:
        """What a collector yields.

        Args:
            values: by the labels' values, in the labels' order; `()` where there are none.
        """
        family = GaugeMetricFamily(self.name, self.documentation, labels=self.labels)
        for labels, value in values.items():
            family.add_metric(labels, value)
        return family


BUILD = Info("audit_build", "Version of the running part")

EVENTS = Counter("audit_events_total", "Events by what became of them", ["stage", "outcome"])
"""stage: processor, directory (which is read by the processor), windows or sink; outcome: passed, refused."""

UNCLASSIFIED = Counter(
    "audit_unclassified_events_total", "Events whose module no rule of the catalogue decides"
)

NOTES = Counter("audit_noted_events_total", "Events that the processor had to correct", ["note"])

DEAD_LETTERS = Counter("audit_dead_letters_total", "Messages refused", ["stage", "reason"])

RUN_SECONDS = Histogram(
    "audit_processor_run_duration_seconds",
    "Time from a run of records to the acknowledgement of all that was made of it",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)

INGEST_DELAY = Histogram(
    "audit_ingest_delay_seconds",
    "From the broker's append of a change to its being queryable in ClickHouse, the oldest of each insert",
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600),
)

INSERT_SECONDS = Histogram(
    "audit_sink_insert_duration_seconds",
    "Duration of one insert",
    ["table"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)

JOURNAL_REPLAYS = Counter(
    "audit_sink_journal_replays_total", "Journaled inserts that were repeated after a restart"
)

REFUSED_IN_A_ROW = Gauge(
    "audit_refused_in_a_row_records", "The longest run of refused records in one partition, now", ["stage"]
)
"""stage: processor, windows or sink."""

WINDOW_PENDING = Gauge(
    "audit_window_pending_records", "Contact changes that wait for their window to be over; never a fault"
)

WINDOW_OVERDUE = Gauge(
    "audit_window_overdue_records", "Contact changes whose window is over and that still wait"
)

WINDOW_NEXT_SYNC = Gauge(
    "audit_window_next_sync_timestamp_seconds", "When the newest window ends; 0 while none is known"
)

WINDOW_LAST_CLOSED = Gauge(
    "audit_window_last_closed_timestamp_seconds",
    "Up to when all windows of this worker's partitions are closed; 0 while that is not known",
)

TICKS = Counter("audit_ticks_total", "Ticks written to the partitions of audit.changes", ["outcome"])
"""outcome: delivered, failed."""

# Of `audit monitor`, which looks from outside, so that they are there when a worker is not.

COMPLETE_THROUGH = Observed(
    "audit_complete_through_timestamp_seconds",
    "All that Kafka received before is in ClickHouse; absent while that is not known",
)

CONSUMER_LAG = Observed(
    "audit_consumer_lag_records",
    "Records appended and not yet done with; not of the window's group, which commits once a window",
    ("group", "topic", "partition"),
)

CONSUMER_LAG_SECONDS = Observed(
    "audit_consumer_lag_seconds",
    "Age of the first record that is not done with; 0 where none waits",
    ("group", "topic", "partition"),
)

ACTIVITY_OVERDUE = Observed(
    "audit_activity_overdue_records",
    "Contact changes in the log that are missing in the activity a minute after their window, by ClickHouse",
)

DEAD_LETTERS_OPEN = Observed("audit_dead_letters_open", "Dead letters neither replayed nor purged")

SAFE_FOR = Observed(
    "audit_safe_for_seconds",
    "How long the pipeline may stand still before a record is lost; absent where nothing runs out",
)

DOCTOR_FINDINGS = Observed("audit_doctor_findings", "What `audit doctor` finds, by level", ("level",))
"""level: warning, broken."""

VERIFY_FAULTS = Observed(
    "audit_verify_faults", "Events that the last `audit verify` found wrong", ("check", "kind")
)

VERIFIED_AT = Observed(
    "audit_verified_timestamp_seconds", "When the last `audit verify` ended, well or badly"
)

LOOKED_AT = Observed("audit_monitor_looked_timestamp_seconds", "When the monitor last had all answers")

ALERTED = (
    COMPLETE_THROUGH,
    CONSUMER_LAG,
    CONSUMER_LAG_SECONDS,
    INGEST_DELAY,
    WINDOW_OVERDUE,
    ACTIVITY_OVERDUE,
    DEAD_LETTERS,
    DEAD_LETTERS_OPEN,
    REFUSED_IN_A_ROW,
    TICKS,
    SAFE_FOR,
    DOCTOR_FINDINGS,
    VERIFY_FAULTS,
    VERIFIED_AT,
    LOOKED_AT,
)
"""Each of them has an alert in deploy/alerts; all others only explain what was seen."""
