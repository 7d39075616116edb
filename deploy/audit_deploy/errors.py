"""What can go wrong with the embedded stack, each with its remedy.

StackError
├── PortTaken        somebody else listens there
├── FolderUnusable   the data folder cannot be made or written, or its disk is full
├── JarsMissing      Kafka's jars are not there, or not the ones of the lock
├── NotRunning       nothing runs in that folder
├── AlreadyRunning   something runs in that folder, and a fresh stack was asked for
└── ProgramFailed    a part does not stay up or does not become ready
"""

from audit_schemas.errors import AuditError


class StackError(AuditError):
    """The embedded stack cannot do what was asked."""


class PortTaken(StackError):
    """A port that was asked for is in use."""


class FolderUnusable(StackError):
    """The data folder cannot be used."""


class JarsMissing(StackError):
    """Kafka's jars are missing or not the ones that the lock names."""


class NotRunning(StackError):
    """No stack runs in that folder."""

    exit_code = 3


class AlreadyRunning(StackError):
    """A stack runs in that folder already."""


class ProgramFailed(StackError):
    """A part of the stack failed; the message ends with its last lines."""
