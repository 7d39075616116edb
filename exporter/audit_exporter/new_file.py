"""A file that appears under its name only when it is whole."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedRandom
from pathlib import Path

from audit_exporter.errors import FileExists
from audit_schemas.errors import AuditError

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL


@contextmanager
def new_file(path: Path, *, replace: bool) -> Iterator[BufferedRandom]:
    """Write beside `path` under a temporary name; at the end of the block flush to disk and rename.

    When the block raises, nothing is left. Only the owner may read the file until it has its name.

    Args:
        path: the file's name; its folder must exist.
        replace: whether a file of that name may go.

    Raises:
        FileExists: there is one, and it may not go.
        AuditError: the folder cannot be written to, the disk is full; names the file.
    """
    if not replace and path.exists():
        raise _exists(path)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(part, _NEW, 0o600), "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.chmod(0o666 & ~_umask())
        _give_name(part, path, replace=replace)
    except OSError as error:
        raise AuditError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        with suppress(OSError):  # renamed already, or never made
            part.unlink()


def _give_name(part: Path, path: Path, *, replace: bool) -> None:
    if replace:
        part.replace(path)
    else:
        try:
            path.hardlink_to(part)  # unlike a rename it never takes another file's place
        except FileExistsError:
            raise _exists(path) from None
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _exists(path: Path) -> FileExists:
    return FileExists(f"{path} exists already", remedy="choose another name, or replace it with --force")
