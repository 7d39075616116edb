"""A zip archive whose members' sizes are not known beforehand, without data descriptors.

Excel rejects archives whose local headers leave the sizes to a descriptor behind the data; so each
header is patched when its member ends. That takes a seekable file, and members below 4 GiB.
"""

import struct
from typing import BinaryIO

from isal import isal_zlib

from audit_schemas.errors import Incomplete

MEMBER_BYTES = (1 << 32) - (64 << 20)
"""A member of more than this is refused; deflated it may be slightly longer than plain."""

_LOCAL = struct.Struct("<4sHHHHHLLLHH")
_SUMS = struct.Struct("<LLL")
_CENTRAL_HEAD = struct.Struct("<4sHHHHHH")
_CENTRAL_TAIL = struct.Struct("<HHHHHLL")
_END = struct.Struct("<4sHHHHLLH")
_SUMS_AT = 14
_LIMIT = (1 << 32) - 1
_VERSION, _UTF8, _DEFLATED = 20, 0x800, 8
_TIME, _DATE = 0, 33  # 1980-01-01: the same content gives the same file
_LEVEL = 1


class ZipStream:
    """Members are written one after the other, each from `begin` to `end`; `finish` ends the archive."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._directory: list[bytes] = []
        self._name = b""
        self._start = self._crc = self._size = 0
        self._deflate = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS)

    def begin(self, name: str) -> None:
        """Begin a member."""
        self._name, self._start, self._crc, self._size = name.encode(), self._file.tell(), 0, 0
        self._deflate = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS)
        head = (b"PK\3\4", _VERSION, _UTF8, _DEFLATED, _TIME, _DATE, 0, 0, 0, len(self._name), 0)
        self._file.write(_LOCAL.pack(*head) + self._name)

    def write(self, data: bytes) -> None:
        """Add to the member."""
        self._crc = isal_zlib.crc32(data, self._crc)
        self._size += len(data)
        self._file.write(self._deflate.compress(data))

    def end(self) -> None:
        """End the member: its header learns what it holds.

        Raises:
            Incomplete: the archive has outgrown the format.
        """
        self._file.write(self._deflate.flush())
        end = self._file.tell()
        if max(end, self._size) > _LIMIT:
            raise Incomplete(
                "the workbook would exceed 4 GiB", remedy="export a shorter timeframe, or as CSV"
            )
        sums = _SUMS.pack(self._crc, end - self._start - _LOCAL.size - len(self._name), self._size)
        self._file.seek(self._start + _SUMS_AT)
        self._file.write(sums)
        self._file.seek(end)
        head = _CENTRAL_HEAD.pack(b"PK\1\2", _VERSION, _VERSION, _UTF8, _DEFLATED, _TIME, _DATE)
        tail = _CENTRAL_TAIL.pack(len(self._name), 0, 0, 0, 0, 0, self._start)
        self._directory.append(head + sums + tail + self._name)

    def add(self, name: str, data: bytes) -> None:
        """Add a whole member."""
        self.begin(name)
        self.write(data)
        self.end()

    def finish(self) -> None:
        """Write the directory."""
        at, directory = self._file.tell(), b"".join(self._directory)
        count = len(self._directory)
        self._file.write(directory + _END.pack(b"PK\5\6", 0, 0, count, count, len(directory), at, 0))
