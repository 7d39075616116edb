"""The settings of the processors, read once where a command begins."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from audit_schemas.catalogue import CatalogueSettings
from audit_schemas.settings import KafkaSettings
from audit_schemas.topics import MIB
from audit_stream_processors.windows.stamp import LONGEST

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LENGTH = re.compile(r"(\d+)([smhd])")


def read_length(value: object) -> object:
    """Read a length of time such as 3h, 90m or 10s; anything else goes on as it is.

    Raises:
        ValueError: for any other text, and for a length of nothing.
    """
    if not isinstance(value, str):
        return value
    found = _LENGTH.fullmatch(value.strip())
    if not found or not int(found[1]):
        raise ValueError("must be a number and a unit, as in 3h, 90m or 10s")
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


Length = Annotated[timedelta, BeforeValidator(read_length)]
"""A length of time, whole seconds."""


def _read_folder(value: object) -> object:
    return None if value in ("", "none") else value


Folder = Annotated[Path | None, BeforeValidator(_read_folder)]
"""A folder, or `none`."""


class WorkerSettings(KafkaSettings):
    """What every worker of this part reads from the environment."""

    http_port: int = Field(default=0, ge=0, le=65535)
    """Where /healthz, /readyz and /metrics are served; 0 for any free port."""
    processor_commit_seconds: float = Field(default=0.5, gt=0, le=60)
    """How often acknowledged runs are committed: what a crash may repeat."""
    processor_refusal_limit: int = Field(default=10_000, ge=0)
    """So many records in a row of one partition may be refused, then the worker stops; 0 for no limit."""
    processor_stall_seconds: float = Field(default=900, gt=0, le=43_200)
    """A worker that has had a run in hand for so long leaves: the group must not wait for it."""
    kill_point: str = "none"
    """For tests: where to end this process, see `audit_schemas.kill_points`."""


class ProcessorSettings(WorkerSettings, CatalogueSettings):
    """What `audit processor run` reads from the environment."""

    processor_run_records: int = Field(default=5000, ge=1, le=100_000)
    """At most so many records in one run: the unit of producing, waiting and acknowledging."""
    window: Annotated[Length, Field(le=timedelta(seconds=LONGEST))] = timedelta(hours=3)
    """The length of the windows of contact changes; boundaries are its multiples since the epoch."""
    tick_seconds: float = Field(default=5, gt=0, le=300)
    """Between two ticks at most: how exactly is known up to when the log is complete."""
    places: Folder = None
    """Where mmdb files of DB-IP or MaxMind are mounted; without any, countries and networks are unknown."""


class WindowsSettings(WorkerSettings):
    """What `audit windows run` reads from the environment. The length of a window stands in the records."""

    windows_part_records: int = Field(default=10_000, ge=1, le=1_000_000)
    """At most so many records of a closed window in one run."""
    windows_part_bytes: int = Field(default=8 * MIB, ge=1)
    """At most so many bytes of keys and values in one run."""
