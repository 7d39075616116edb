"""The files of the log-ins, in the folder that the server merges into its configuration of users.

Each is written beside its place and then put there whole, readable by the server alone: it reads them again
whenever it likes.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from audit_schemas.errors import Invalid, Misconfigured
from audit_sinks.users.document import parse, render
from audit_sinks.users.roles import User

_BEGIN, _END = "audit-user-", ".xml"


class UsersFolder:
    """A server's folder of configuration files for its users, mostly `users.d`."""

    def __init__(self, folder: Path, database: str) -> None:
        """Know where it is; nothing is read or made.

        Args:
            folder: must be there.
            database: where Auditlane's tables are.
        """
        self._folder = folder
        self._database = database

    def users(self) -> list[User]:
        """All log-ins that are kept here, by name.

        Raises:
            Misconfigured: the folder, or a file in it, cannot be read.
        """
        with self._explained():
            if not self._folder.is_dir():
                raise FileNotFoundError(2, "there is no such folder")
            files = sorted(self._folder.glob(f"{_BEGIN}*{_END}"))
            return sorted(map(_read, files), key=lambda user: user.name)

    def add(self, user: User) -> None:
        """Keep a new log-in.

        Raises:
            Invalid: there is one of that name.
            Misconfigured: the folder cannot be written.
        """
        with self._explained(), self._written(user) as written:
            try:
                # A link, other than a rename, never takes another file's place.
                os.link(written, self._file(user.name))
            except FileExistsError:
                raise Invalid(
                    f"there is a log-in {user.name!r} already", remedy=f"audit user remove {user.name}"
                ) from None

    def replace(self, user: User) -> None:
        """Keep a log-in in place of the one of that name.

        Raises:
            Misconfigured: the folder cannot be written.
        """
        with self._explained(), self._written(user) as written:
            written.replace(self._file(user.name))

    def remove(self, name: str) -> None:
        """Forget a log-in.

        Raises:
            Invalid: there is none of that name.
            Misconfigured: the folder cannot be written.
        """
        with self._explained():
            try:
                self._file(name).unlink()
            except FileNotFoundError:
                raise Invalid(
                    f"there is no log-in {name!r} in {self._folder}", remedy="`audit user list` shows all"
                ) from None

    def is_current(self, user: User) -> bool:
        """Whether its file is what this version would write."""
        with self._explained():
            return self._file(user.name).read_text() == render(user, self._database)

    def _file(self, name: str) -> Path:
        return self._folder / f"{_BEGIN}{name}{_END}"

    @contextmanager
    def _written(self, user: User) -> Iterator[Path]:
        """A file with a name that the server does not look at, readable by whoever owns the folder."""
        descriptor, name = tempfile.mkstemp(prefix=f".{_BEGIN}", suffix=".new", dir=self._folder)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(render(user, self._database))
                file.flush()
                os.fsync(descriptor)
                if os.geteuid() == 0:
                    # An administrator may write it as root; the server must be able to read it nevertheless.
                    owner = self._folder.stat()
                    os.fchown(descriptor, owner.st_uid, owner.st_gid)
            yield Path(name)
        finally:
            with suppress(FileNotFoundError):
                Path(name).unlink()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Misconfigured(
                f"{self._folder} cannot be used: {error.strerror}",
                remedy="AUDIT_CLICKHOUSE_USERS names the server's users.d; run this where it can be written",
            ) from None


def _read(file: Path) -> User:
    try:
        return parse(file.read_text())
    except Invalid as error:
        raise Misconfigured(f"{file}: {error.message}", remedy="remove the file, or mend it") from None
