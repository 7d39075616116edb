"""Services beside the traffic: processes of their own that can be killed, and what is expected of them."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec
from sinking import wait_until

from audit_deploy.tether import TETHER
from audit_schemas.topics import CHANGES

from .log import Log
from .rig import Rig

_PROGRAM = str(Path(__file__).with_name("publishing.py"))


class Service:
    """One process of `publishing`."""

    def __init__(self, arguments: list[str], environment: Mapping[str, str], output: Path) -> None:
        self._output = output
        with output.open("wb") as written:
            self.process = subprocess.Popen(
                [*TETHER, sys.executable, _PROGRAM, *arguments],
                env={**os.environ, **environment},
                stdout=written,
            )

    def until_it_publishes(self) -> None:
        """Wait until the first of its events are acknowledged."""
        wait_until(lambda: bool(self.acknowledged), seconds=60, about="a service publishes")

    def until_done(self) -> None:
        """Wait until it has published all, and has ended."""
        assert self.process.wait(timeout=120) == 0

    def kill(self) -> None:
        """SIGKILL, in the middle of its work."""
        assert self.process.poll() is None, "it was done already"
        self.process.kill()
        self.process.wait(timeout=10)

    @property
    def acknowledged(self) -> list[UUID]:
        """The events of which it has heard that Kafka has them."""
        return [UUID(line) for line in self._output.read_text().splitlines()]


@dataclass(frozen=True)
class Services:
    """Those of one block."""

    rig: Rig
    account: str
    """The beginning of their accounts' names."""
    all: list[Service] = field(default_factory=list)

    def start(
        self, name: str = "", *, count: int, job: datetime | None = None, **environment: str
    ) -> Service:
        """Start one that publishes for the account of a name; see `publishing.publish`."""
        arguments = [self.account + name, str(count), *([job.isoformat()] if job else [])]
        output = self.rig.folder / f"service-{len(self.all)}"
        service = Service(arguments, {**self.rig.stack.environment, **environment}, output)
        self.all.append(service)
        return service


@contextmanager
def services(rig: Rig) -> Iterator[Services]:
    """Services that are gone when the block ends; all that they have published is expected from then on.

    What they know to be acknowledged must be there. Of a killed one more may be: what lies in Kafka.
    """
    assert rig.traffic is not None
    log = Log(rig.stack.kafka)
    start = log.ends([CHANGES.name])
    made = Services(rig, f"{rig.traffic.account}-service")
    try:
        yield made
    finally:
        for service in made.all:
            service.process.kill()
            service.process.wait(timeout=10)
    acknowledged = {id_ for service in made.all for id_ in service.acknowledged}
    values = [message.value() or b"" for message in log.since(start, CHANGES.name)]
    log.close()
    arrived = {event.id for event in map(_read, values) if event and event.account.startswith(made.account)}
    print(f"{len(arrived - acknowledged)} of {len(arrived)} events arrived of which no service knows it")
    rig.traffic.order.extend(acknowledged | arrived)


class _Published(msgspec.Struct):
    id: UUID
    account: str


def _read(value: bytes) -> _Published | None:
    """Nothing of what is no event."""
    with suppress(msgspec.DecodeError):
        return msgspec.json.decode(value, type=_Published)
    return None
