"""The errors that every part shares; a class names its remedy.

AuditError
├── Refused          somebody may not do this; exit code 4
├── Incomplete       part of the work was done, the rest is named; exit code 3
├── Invalid          the data is wrong and stays wrong: to the dead letters, or back to its author
├── Unreachable      Kafka or ClickHouse does not answer: wait and try again
└── Misconfigured    nothing helps but an operator: stop, and say what to change
"""


class AuditError(Exception):
    """Something that a person can act upon, said without a traceback.

    Attributes:
        message: what is wrong, with the value that is wrong.
        remedy: what to do about it; empty where the message says it all.
    """

    exit_code = 1
    """The exit code of a command that ends with this error."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class Refused(AuditError):
    """The caller lacks a permission, or asks for another account's rows."""

    exit_code = 4


class Incomplete(AuditError):
    """Some of it was done; the message names what was not."""

    exit_code = 3


class Invalid(AuditError):
    """The data itself is wrong; trying again cannot help."""


class Unreachable(AuditError):
    """A server does not answer; trying again later can help."""


class Misconfigured(AuditError):
    """A setting, a topic or a table is not as it must be; the process must not go on."""
