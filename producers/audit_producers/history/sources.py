"""The bytes of a dump: a file or standard input, plain, gzip or zstd, whatever its name says."""

import gzip
import importlib
import io
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, BinaryIO, TypeVar

from audit_schemas.errors import Invalid, Misconfigured

Item = TypeVar("Item")

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_PART = 256 * 1024
EXTRA = "pip install 'auditlane-producers[history]'"
"""What brings the libraries that only an import needs."""


class CountedBytes(io.RawIOBase):
    """A stream that counts what was read of it: how far an import is, in bytes of the file."""

    def __init__(self, stream: BinaryIO, head: bytes = b"") -> None:
        super().__init__()
        self.count = 0
        self._stream = stream
        self._head = head

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer as far as it goes."""
        view = memoryview(buffer).cast("B")
        found = self._head[: len(view)] or self._stream.read(len(view))
        self._head = self._head[len(found) :]
        view[: len(found)] = found
        self.count += len(found)
        return len(found)


def head_of(stream: BinaryIO, size: int) -> bytes:
    """The first bytes of a stream, as many as there are up to `size`."""
    head = b""
    while len(head) < size and (more := stream.read(size - len(head))):
        head += more
    return head


def opened(stream: BinaryIO, head: bytes) -> tuple["io.BufferedReader[Any]", CountedBytes]:
    """The bytes of a dump, decompressed.

    Args:
        stream: the file, from which `head` was read already.
        head: its first bytes, at least four where it has so many.

    Returns:
        The decompressed bytes, and the count of bytes read of the file.

    Raises:
        Misconfigured: it is zstd, and no library that reads it is installed.
    """
    counted = CountedBytes(stream, head)
    raw = io.BufferedReader(counted, _PART)
    if head.startswith(_GZIP):
        return io.BufferedReader(gzip.GzipFile(fileobj=raw), _PART), counted
    if head.startswith(_ZSTD):
        return io.BufferedReader(_zstd().ZstdFile(raw), _PART), counted
    return raw, counted


def undamaged(items: Iterable[Item]) -> Iterator[Item]:
    """What is read of a file, with one error for the ways in which a compressed one can be broken.

    Raises:
        Invalid: it is damaged, or not whole.
    """
    damage: tuple[type[Exception], ...] = (EOFError, zlib.error, gzip.BadGzipFile)
    with suppress(Misconfigured):
        damage += (_zstd().ZstdError,)
    try:
        yield from items
    except damage as error:
        raise Invalid(f"the file is damaged, or not whole: {error}", remedy="make the dump anew") from None


def _zstd() -> Any:
    for name in ("compression.zstd", "backports.zstd"):  # the library's since Python 3.14, and its backport
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    raise Misconfigured("the file is zstd, and no library that reads it is here", remedy=EXTRA)
