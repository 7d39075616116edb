"""What each role may do with which table or view. One that is not named here is nobody's but the admin's.

The views run with the rights of whoever reads them, so a reader needs the tables behind them as well; the row
filter stands on both.
"""

from collections.abc import Mapping, Sequence

from audit_sinks.tables import FEEDS, MARKS
from audit_sinks.users.roles import Role

_TABLES = ("audit_events", "contact_events", "contact_batches", "accounts", "actors")
_VIEWS = ("audit_log", "audit_changes", "contact_activity", "login_sessions", "sync_status")

OF_AN_ACCOUNT = _TABLES + _VIEWS
"""Tables and views whose rows belong to one account each, by their column account_id."""

OF_EVERYONE: Mapping[str, tuple[str, ...]] = {
    "completeness": (),
    # Offsets would say how much all accounts together do.
    "partition_marks": ("partition", "partitions", "received_at"),
}
"""What every reader may see though no account owns it, and which columns of it; none named: all of them.
Without it nobody knows up to when an answer is complete."""

OF_OPERATORS = ("dead_letters", "dead_letter_handling", "producer_records", "schema_migrations")
"""What may hold anybody's bytes, or concerns no account: a reader gets none of it."""


def row_filters(condition: str, database: str) -> Mapping[str, Mapping[str, str]]:
    """What is left of each table for a reader who is bound to accounts: by database and table, a condition.

    Args:
        condition: which rows with an account are the reader's.
        database: where Auditlane's tables are.
    """
    stored = ", ".join(f"'{name}'" for name in _TABLES)
    return {
        database: dict.fromkeys(OF_AN_ACCOUNT, condition),
        # They tell how many rows and bytes a table has, of all accounts together.
        "system": {
            "tables": f"database != '{database}' OR name NOT IN ({stored})",
            "columns": f"database != '{database}' OR table NOT IN ({stored})",
        },
    }


_INSERTED = tuple(dict.fromkeys(feed.table for feeds in (*FEEDS.values(), (MARKS,)) for feed in feeds))


def grants(role: Role, database: str) -> Sequence[str]:
    """The GRANT statements of a role.

    Args:
        role: whose.
        database: where Auditlane's tables are.
    """
    match role:
        case Role.ANALYST | Role.EXPORTER:
            whole = [f"GRANT SELECT ON {database}.{name}" for name in OF_AN_ACCOUNT]
            parts = {name: f"({', '.join(columns)})" for name, columns in OF_EVERYONE.items() if columns}
            return whole + [f"GRANT SELECT{parts.get(name, '')} ON {database}.{name}" for name in OF_EVERYONE]
        case Role.INGEST:
            return [f"GRANT INSERT ON {database}.{table}" for table in _INSERTED]
        case Role.ADMIN:
            return [
                f"GRANT ALL ON {database}.*",
                # Where `audit rebuild` makes the tables anew.
                f"GRANT ALL ON {database}_rebuild.*",
                "GRANT TABLE ENGINE ON *",
                "GRANT SELECT ON system.*",
                # To see which log-ins the server knows.
                "GRANT SHOW ACCESS ON *.*",
            ]
