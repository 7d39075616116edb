"""What `audit doctor` asks of a running Kafka and ClickHouse: do they keep what the guarantees assume?

Facts are read once; each check is a pure function of them.
"""

from audit_sinks.doctor.examination import CHECKS, examine, read
from audit_sinks.doctor.facts import Facts
from audit_sinks.doctor.finding import Finding, Level
from audit_sinks.doctor.outage import Limit, shortest

__all__ = ["CHECKS", "Facts", "Finding", "Level", "Limit", "examine", "read", "shortest"]
