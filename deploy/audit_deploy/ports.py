"""Which ports a stack listens on: the ones given, else those of last time, else whatever is free."""

import socket
from collections.abc import Iterable, Mapping
from contextlib import ExitStack

import psutil

from audit_deploy.errors import PortTaken

HOST = "127.0.0.1"
"""The embedded stack never listens to the network."""


def choose(names: Iterable[str], *, given: Mapping[str, int], last: Mapping[str, int]) -> dict[str, int]:
    """Find a port for each name, all different.

    Ports of last time are taken again when they are free, so that clients find the stack again.

    Raises:
        PortTaken: a port of `given` is in use.
    """
    chosen: dict[str, int] = {}
    # All sockets stay bound until every port is chosen: the kernel gives none twice.
    with ExitStack() as held:
        for name in sorted(names, key=lambda name: name not in given):
            wanted = given.get(name, last.get(name, 0))
            listener = _bound(wanted)
            if listener is None:
                if name in given:
                    raise _taken(name, wanted)
                listener = _bound(0)
            assert listener is not None  # noqa: S101 - the kernel always has a free port, or raises
            held.enter_context(listener)
            chosen[name] = listener.getsockname()[1]
    return chosen


def _bound(port: int) -> socket.socket | None:
    listener = socket.socket()
    # As servers do: connections of a server that has just ended must not keep its port.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        # Sockets that only bind may share a port with that option.
        listener.listen(1)
    except OSError:
        listener.close()
        if port == 0:
            raise
        return None
    return listener


def _taken(name: str, port: int) -> PortTaken:
    if port < 1024:
        return PortTaken(f"port {port} for {name} is privileged or in use", remedy="choose a port above 1023")
    owner = _owner(port)
    return PortTaken(
        f"port {port} for {name} is in use" + (f" by {owner}" if owner else ""),
        remedy="end that process, choose another port, or name none and take any free one",
    )


def _owner(port: int) -> str:
    try:
        connections = psutil.net_connections("tcp")
        pids = [
            found.pid
            for found in connections
            if found.laddr and found.laddr.port == port and found.status == psutil.CONN_LISTEN
        ]
        return f"{psutil.Process(pids[0]).name()} (process {pids[0]})" if pids and pids[0] else ""
    except psutil.Error:
        return ""
