"""The connection to ClickHouse: small answers over the native protocol, files as a stream over HTTP."""

import base64
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

from clickhouse_driver import Client
from clickhouse_driver.errors import NetworkError, ServerException, SocketTimeoutError

from audit_exporter.errors import QueryFailed
from audit_exporter.parameters import Query, as_http
from audit_schemas.errors import AuditError, Misconfigured, Unreachable
from audit_schemas.settings import ClickHouse

_CONNECT_SECONDS = 5
_ANSWER_SECONDS = 300
_CHUNK = 1 << 20
_EXCEPTION = re.compile(
    rb"__exception__\r\n(?P<tag>\w+)\r\n(?P<reason>.*)\r?\n\d+ (?P=tag)\r\n__exception__\r\n$", re.DOTALL
)
"""How ClickHouse ends an answer that it breaks off: at the very end, and with a tag of its own."""
REASON_BYTES = 1 << 16
"""Longer than any reason that ClickHouse gives at the end of an answer."""
_UNKNOWN = {60: "table", 81: "database"}
_LOGIN = {192, 193, 194, 516}
_CODE = re.compile(r"^Code: (\d+)\.")
_ADVICE = re.compile(r"Stack trace:|Expected one of:|If you use ClickHouse Cloud")
_NOISE = re.compile(
    r"^Code: \d+\. |DB::(?:NetException|Exception): |\s*\(version [^)]*\)\s*$|: In scope .*", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Table:
    """A small answer, whole in memory."""

    names: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def dicts(self) -> Iterator[dict[str, Any]]:
        """Each row by its columns' names."""
        return (dict(zip(self.names, row, strict=True)) for row in self.rows)


class Connection(AbstractContextManager["Connection"]):
    """One reader's connection. Calls block until ClickHouse answers; not for several threads at once."""

    def __init__(self, server: ClickHouse) -> None:
        self._server = server
        self._client = Client(
            server.host,
            port=server.port,
            user=server.user,
            password=server.password.get_secret_value(),
            database=server.database,
            connect_timeout=_CONNECT_SECONDS,
            send_receive_timeout=_ANSWER_SECONDS,
            client_name="auditlane-exporter",
            settings={"server_side_params": True},
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()

    def read(self, query: Query) -> Table:
        """Run a query whose answer is small.

        Raises:
            QueryFailed: ClickHouse refused it.
            Unreachable: it does not answer.
            Misconfigured: the log-in is refused, or the tables are not there.
        """
        try:
            rows, columns = self._client.execute(query.sql, dict(query.parameters), with_column_types=True)
        except ServerException as error:
            raise failure(f"Code: {error.code}. {error.message}") from None
        except (NetworkError, SocketTimeoutError, EOFError, OSError) as error:
            raise self._away(error) from None
        return Table(tuple(name for name, _ in columns), rows)

    @contextmanager
    def stream(self, query: Query, **options: str | int) -> Iterator[Iterator[bytes]]:
        """Run a query and hand on what it renders, in pieces of up to a megabyte.

        Whoever reads it counts the rows. Where ClickHouse breaks off and still ends its answer, its
        words are the last of the pieces; `broken_off` finds them.

        Args:
            query: with its FORMAT.
            options: further arguments of the HTTP interface: settings, `default_format`.

        Raises:
            QueryFailed: ClickHouse refused it.
            Unreachable: it does not answer, or the connection ended in the middle.
            Misconfigured: the log-in is refused, or the tables are not there.
        """
        connection = HTTPConnection(self._server.host, self._server.http_port, timeout=_CONNECT_SECONDS)
        try:
            try:
                answer = self._ask(connection, query, options)
            except (HTTPException, OSError) as error:
                raise self._away(error) from None
            if answer.status != 200:
                raise failure(answer.read(_CHUNK).decode("utf-8", "replace"))
            yield self._pieces(answer)
        finally:
            connection.close()

    def _ask(self, connection: HTTPConnection, query: Query, options: dict[str, str | int]) -> HTTPResponse:
        login = f"{self._server.user}:{self._server.password.get_secret_value()}".encode()
        arguments = {"database": self._server.database, **options, **as_http(query.parameters)}
        connection.connect()
        connection.sock.settimeout(_ANSWER_SECONDS)
        connection.request(
            "POST",
            f"/?{urlencode(arguments)}",
            query.sql.encode(),
            {"Authorization": f"Basic {base64.b64encode(login).decode()}"},
        )
        return connection.getresponse()

    def _pieces(self, answer: HTTPResponse) -> Iterator[bytes]:
        last = b""
        try:
            while piece := answer.read(_CHUNK):
                yield piece
                last = piece[-REASON_BYTES:]
        except IncompleteRead as error:
            # ClickHouse leaves out the last chunk when it breaks off; so does a connection that is lost.
            reason = broken_off(last + error.partial)
            raise reason or self._away(ConnectionError("the answer ended in the middle")) from None
        except (HTTPException, OSError) as error:
            raise self._away(error) from None

    def _away(self, error: Exception) -> Unreachable:
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        return Unreachable(
            f"ClickHouse at {self._server.host} does not answer: {reason}",
            remedy="is it up? `audit stack status`; AUDIT_CLICKHOUSE says where it is looked for",
        )


def broken_off(rest: bytes) -> AuditError | None:
    """ClickHouse's reason within the end of a streamed answer, if it broke off and said why."""
    found = _EXCEPTION.search(rest)
    return failure(found["reason"].decode("utf-8", "replace").strip()) if found else None


def failure(text: str) -> AuditError:
    """What ClickHouse said, as one clear line."""
    found = _CODE.search(text)
    code = int(found[1]) if found else 0
    text = _ADVICE.split(text)[0]
    text = " ".join(_NOISE.sub("", text).split()) or "without a reason"
    if code in _LOGIN:
        return Misconfigured(
            f"ClickHouse refuses the log-in: {text}", remedy="check user and password in AUDIT_CLICKHOUSE"
        )
    if code in _UNKNOWN:
        return Misconfigured(
            f"ClickHouse: {text}", remedy="if Auditlane's tables are not there yet: audit migrate up"
        )
    return QueryFailed(f"ClickHouse: {text}")
