"""The data folder of a stack: what lies where, and whether it can be used at all."""

import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audit_deploy.errors import FolderUnusable

NEEDED_BYTES = 512 * 1024 * 1024
"""A stack does not start with less: Kafka halts and ClickHouse refuses inserts on a full disk."""

# The kernel's limit is 108 bytes (104 on macOS), and supervisord binds a longer name first.
_LONGEST_SOCKET = 90


@dataclass(frozen=True)
class Folder:
    """Paths below one data folder. Nothing is made before `prepare`."""

    root: Path

    @property
    def kafka(self) -> Path:
        """Kafka's configuration and log segments."""
        return self.root / "kafka"

    @property
    def clickhouse(self) -> Path:
        """ClickHouse's configuration and tables."""
        return self.root / "clickhouse"

    @property
    def logs(self) -> Path:
        """One log for each process, rotated by supervisord."""
        return self.root / "logs"

    @property
    def state(self) -> Path:
        """What was started last, and on which ports."""
        return self.root / "stack.json"

    @property
    def credentials(self) -> Path:
        """ClickHouse's passwords, readable by the owner alone."""
        return self.root / "credentials.json"

    @property
    def supervisor_config(self) -> Path:
        """What supervisord was started with."""
        return self.root / "supervisord.conf"

    @property
    def supervisor_pid(self) -> Path:
        """The process id of supervisord."""
        return self.root / "supervisord.pid"

    @property
    def socket(self) -> Path:
        """Where supervisord answers; elsewhere when this folder's path is too long for a socket."""
        beside = self.root / "supervisor.sock"
        if len(os.fsencode(beside)) <= _LONGEST_SOCKET:
            return beside
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"audit-stack-{os.getuid()}-{digest}" / "supervisor.sock"

    def log(self, name: str) -> Path:
        """The log of one process."""
        return self.logs / f"{name}.log"

    def prepare(self) -> None:
        """Make the folders, for the owner alone, and see that they can be written.

        Raises:
            FolderUnusable: they cannot, or the disk is nearly full.
        """
        try:
            for path in (self.root, self.kafka, self.clickhouse, self.logs, self.socket.parent):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                pass
        except OSError as error:
            raise _unusable(self.root, error) from None
        if shortage := self.shortage():
            raise FolderUnusable(
                shortage, remedy="free some space, or name a folder on another disk with --data-dir"
            )
        if self.socket.parent.stat().st_uid != os.getuid():
            raise FolderUnusable(
                f"{self.socket.parent} belongs to somebody else", remedy="choose a shorter --data-dir"
            )

    def shortage(self) -> str | None:
        """What is wrong with the disk's free space, or nothing."""
        free = shutil.disk_usage(self.root).free
        if free >= NEEDED_BYTES:
            return None
        return f"the disk of {self.root} has {free >> 20} MiB left; the stack needs {NEEDED_BYTES >> 20} MiB"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep others from starting or stopping a stack here; waits for them."""
        with (self.root / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _unusable(root: Path, error: OSError) -> FolderUnusable:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return FolderUnusable(
            f"the disk of {root} is full", remedy="free some space, or name another --data-dir"
        )
    return FolderUnusable(
        f"cannot write the data folder {root}: {error.strerror}",
        remedy="name a folder of yours with --data-dir",
    )
