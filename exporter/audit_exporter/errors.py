"""What can go wrong while reading the log or writing a file.

AuditError
├── QueryFailed              ClickHouse refused or broke off a query
├── Refused                  (audit_schemas) exit code 4
│   └── AccessRefused        the viewer may not read this account
├── Incomplete               (audit_schemas)
│   └── RowsMissing          the file would not hold what was counted: nothing is left of it; exit code 3
├── Invalid                  (audit_schemas)
│   └── FileExists           the file is there already, and was not to be replaced
├── Unreachable              (audit_schemas) ClickHouse does not answer
└── Misconfigured            (audit_schemas) a wrong password, tables that are not there
"""

from audit_schemas.errors import AuditError, Incomplete, Invalid, Refused
from audit_schemas.event import Principal


class QueryFailed(AuditError):
    """ClickHouse refused a query, or broke it off."""


class AccessRefused(Refused):
    """Somebody may not read an account.

    Attributes:
        account: the first one that refuses.
        actor: who was refused, as far as the directory knows.
    """

    def __init__(self, message: str, *, account: str, actor: Principal, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.account = account
        self.actor = actor


class RowsMissing(Incomplete):
    """What was read is not what was counted.

    Attributes:
        counted: rows that the file should hold.
        read: rows that came.
    """

    def __init__(self, message: str, *, counted: int, read: int, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.counted = counted
        self.read = read


class FileExists(Invalid):
    """A file of that name is there, and nobody said that it may go."""
