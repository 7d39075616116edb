"""How much a log-in may cost the server: settings of its role's profile that it cannot raise, and a quota.

Where a setting means "without limit" by 0, a lower bound stands beside the upper one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from audit_sinks.users.roles import Role

_GIB = 1 << 30
_MINUTE = 60
_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Limits:
    """The profile and the quota of a role."""

    most: Mapping[str, int] = field(default_factory=dict)
    """Settings that may be lowered to 1 and not raised."""
    fixed: Mapping[str, int | str] = field(default_factory=dict)
    """Settings that cannot be changed at all."""
    quota: Mapping[str, int] = field(default_factory=dict)
    """What may be used within an hour."""


_ANALYST = Limits(
    most={
        "max_execution_time": _MINUTE,
        "max_memory_usage": 2 * _GIB,
        "max_memory_usage_for_user": 4 * _GIB,
        "max_temporary_data_on_disk_size_for_query": 8 * _GIB,
        "max_temporary_data_on_disk_size_for_user": 8 * _GIB,
        "max_rows_to_read": 500_000_000,
        "max_result_rows": 1_000_000,
        "max_result_bytes": _GIB,
        "max_concurrent_queries_for_user": 8,
    },
    fixed={
        # Clients may set formats and the like; nothing can be written or created.
        "readonly": 2,
        "allow_ddl": 0,
        "allow_introspection_functions": 0,
        # What was asked stays in the server's log of queries.
        "log_queries": 1,
        # A limit that is reached is an error: part of an answer would be taken for all of it.
        "timeout_overflow_mode": "throw",
        "read_overflow_mode": "throw",
    },
    quota={"queries": 10_000, "errors": 1_000, "execution_time": _HOUR},
)

_EXPORTER = Limits(
    most={"max_memory_usage": 4 * _GIB},
    fixed={"readonly": 2, "allow_ddl": 0, "allow_introspection_functions": 0},
)

_INGEST = Limits(fixed={"allow_ddl": 0, "allow_introspection_functions": 0})

LIMITS: Mapping[Role, Limits] = {
    Role.ANALYST: _ANALYST,
    Role.EXPORTER: _EXPORTER,
    Role.INGEST: _INGEST,
    Role.ADMIN: Limits(),
}
"""By role. An operator changes them in a file of his own in the same folder whose name comes later."""
