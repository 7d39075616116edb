"""What can go wrong on the way into ClickHouse, each error named by what to do about it.

AuditError
├── Invalid
│   ├── Malformed             a message is no JSON: to the dead letters
│   └── RowRefused            the server refuses a row: to the dead letters, alone
├── Unreachable               ClickHouse or Kafka cannot take it now: wait, and send the same block again
│   └── Fenced                another sink owns the partitions: forget them and join the group again
└── Misconfigured
    └── MigrationChanged      an applied migration is not what it was: restore it
"""

from audit_schemas.errors import AuditError, Incomplete, Invalid, Misconfigured, Unreachable

__all__ = [
    "AuditError",
    "Fenced",
    "Incomplete",
    "Invalid",
    "Malformed",
    "MigrationChanged",
    "Misconfigured",
    "RowRefused",
    "Unreachable",
]


class Malformed(Invalid):
    """A message is no JSON at all."""


class RowRefused(Invalid):
    """ClickHouse refuses a block because of what a row holds.

    Attributes:
        code: ClickHouse's error code.
    """

    def __init__(self, message: str, *, code: int) -> None:
        super().__init__(message)
        self.code = code


class Fenced(Unreachable):
    """The group has moved on without this member: what it holds belongs to another."""


class MigrationChanged(Misconfigured):
    """The recorded checksum of an applied migration differs from the file's."""
