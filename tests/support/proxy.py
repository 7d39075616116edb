"""A TCP proxy between a client and a server that breaks what passes through it, as networks do."""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

_CHUNK = 64 * 1024
_END_OF_STREAM = b"\x05"
"""The packet by which a server ends its answer to a query; it has no content."""
_RESET = struct.pack("ii", 1, 0)
"""A socket that is closed so resets its connection: nothing that lies in its buffers is delivered."""


@dataclass(frozen=True)
class Cut:
    """One connection that was cut on purpose."""

    inserting: bool
    """Whether an insert was on its way: begun by the client, not yet answered to the end."""
    sent: int
    """Bytes of the client that had passed on this connection."""


@dataclass
class _Orders:
    """What is done to the bytes that pass."""

    hang: bool = False
    delay: float = 0.0
    cut_after: int | None = None
    """Bytes of all clients together that still pass."""
    cut_answers: int = 0
    garbage: bytes = b""
    kept_out: bytes = b""
    """Whoever says this is cut off."""


@dataclass(eq=False)
class _Connection:
    """The two sockets of one client."""

    client: socket.socket
    server: socket.socket
    inserting: bool = False
    sent: int = 0
    cut: threading.Event = field(default_factory=threading.Event)

    def close(self) -> None:
        self.cut.set()
        for end in (self.client, self.server):
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads it
            end.close()


class Proxy:
    """Forwards from a port of its own. Its orders hold for all connections, from the next chunk on."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._orders = _Orders()
        self._lock = threading.Lock()
        self._connections: list[_Connection] = []
        self._listener: socket.socket | None = None
        self.cuts: list[Cut] = []
        self.port = self._listen(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.refuse()

    def heal(self) -> None:
        """Let everything pass, unharmed."""
        self._orders = _Orders()
        if self._listener is None:
            self._listen(self.port)

    def refuse(self) -> None:
        """Nobody listens, and whoever was connected is cut off."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.cut()

    def cut(self) -> None:
        """Cut all connections; whoever connects again may go on."""
        with self._lock:
            connections, self._connections = self._connections, []
        for connection in connections:
            connection.close()

    def hang(self) -> None:
        """Nothing passes in either direction, and no connection ends; what was held passes once healed."""
        self._orders = _Orders(hang=True)

    def delay(self, seconds: float) -> None:
        """Hold each chunk of an answer for so long."""
        self._orders = _Orders(delay=seconds)

    def cut_after(self, count: int) -> None:
        """Cut the connection that carries the next so-many-th byte of a client; then let all pass."""
        self._orders = _Orders(cut_after=count)

    def cut_answers(self, count: int) -> None:
        """The server does what it was asked, but the next so many clients never hear of it."""
        self._orders = _Orders(cut_answers=count)

    def answer(self, garbage: bytes) -> None:
        """Send this instead of each answer."""
        self._orders = _Orders(garbage=garbage)

    def keep_out(self, word: bytes) -> None:
        """Cut off whoever says this word, as clients say who they are."""
        self._orders = _Orders(kept_out=word)

    def _listen(self, port: int) -> int:
        listener = socket.create_server(("127.0.0.1", port))
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name="proxy", daemon=True).start()
        return int(listener.getsockname()[1])

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return  # it was closed
            try:
                server = socket.create_connection(self._server, timeout=5)
            except OSError:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                client.close()
                continue
            server.settimeout(None)
            self._begin(_Connection(client, server), listener)

    def _begin(self, connection: _Connection, listener: socket.socket) -> None:
        with self._lock:
            if self._listener is not listener:
                connection.close()
                return
            self._connections.append(connection)
        for pump in (self._ask, self._answer):
            threading.Thread(target=pump, args=(connection,), name="proxy", daemon=True).start()

    def _ask(self, connection: _Connection) -> None:
        """The client's bytes to the server."""

        def forward(chunk: bytes) -> bool:
            if self._orders.kept_out and self._orders.kept_out in chunk:
                return False
            if b"INSERT INTO" in chunk:
                connection.inserting = True
            whole = self._allowed(len(chunk))
            connection.server.sendall(chunk[:whole])
            connection.sent += whole
            return whole == len(chunk)

        self._pump(connection, connection.client, forward)

    def _answer(self, connection: _Connection) -> None:
        """The server's bytes to the client."""

        def forward(chunk: bytes) -> bool:
            orders = self._orders
            if orders.delay:
                connection.cut.wait(orders.delay)
            if orders.garbage:
                connection.client.sendall(orders.garbage)
                return False
            if chunk.endswith(_END_OF_STREAM) and connection.inserting:
                if self._takes_answer():
                    return False
                connection.inserting = False
            connection.client.sendall(chunk)
            return True

        self._pump(connection, connection.server, forward)

    def _pump(self, connection: _Connection, source: socket.socket, forward: Callable[[bytes], bool]) -> None:
        """Forward until an end closes, or until a chunk is not to pass."""
        with suppress(OSError):
            while chunk := source.recv(_CHUNK):
                while self._orders.hang and not connection.cut.wait(0.02):
                    pass
                if not forward(chunk):
                    self.cuts.append(Cut(connection.inserting, connection.sent))
                    break
        with self._lock, suppress(ValueError):
            self._connections.remove(connection)
        connection.close()

    def _allowed(self, count: int) -> int:
        """How many of the client's next bytes pass before the cut."""
        with self._lock:
            orders = self._orders
            if orders.cut_after is None:
                return count
            if orders.cut_after >= count:
                orders.cut_after -= count
                return count
            allowed, orders.cut_after = orders.cut_after, None
            return allowed

    def _takes_answer(self) -> bool:
        with self._lock:
            if self._orders.cut_answers == 0:
                return False
            self._orders.cut_answers -= 1
            return True

    @property
    def is_armed(self) -> bool:
        """Whether a cut that was ordered has not happened yet."""
        return self._orders.cut_after is not None or self._orders.cut_answers > 0
