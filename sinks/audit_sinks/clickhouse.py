"""The connection to ClickHouse: its settings, and its errors sorted by what helps.

The native protocol is spoken by clickhouse-driver. Of the server's several hundred error codes,
those in `_ROW` are a row's fault, those in `_WAIT` pass by themselves, and all others need a person.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from clickhouse_driver import Client
from clickhouse_driver import errors as driver

from audit_schemas.settings import ClickHouse
from audit_sinks.errors import Misconfigured, RowRefused, Unreachable

_ROW = frozenset(
    {
        6,  # CANNOT_PARSE_TEXT
        26,  # CANNOT_PARSE_QUOTED_STRING
        27,  # CANNOT_PARSE_INPUT_ASSERTION_FAILED
        38,  # CANNOT_PARSE_DATE
        41,  # CANNOT_PARSE_DATETIME
        69,  # ARGUMENT_OUT_OF_BOUND
        70,  # CANNOT_CONVERT_TYPE
        72,  # CANNOT_PARSE_NUMBER
        117,  # INCORRECT_DATA
        131,  # TOO_LARGE_STRING_SIZE
        190,  # SIZES_OF_ARRAYS_DONT_MATCH
        321,  # VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
        349,  # CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
        376,  # CANNOT_PARSE_UUID
        395,  # FUNCTION_THROW_IF_VALUE_IS_NON_ZERO
        407,  # DECIMAL_OVERFLOW
        469,  # VIOLATED_CONSTRAINT
    }
)
_WAIT = frozenset(
    {
        3,  # UNEXPECTED_END_OF_FILE
        74,  # CANNOT_READ_FROM_FILE_DESCRIPTOR
        75,  # CANNOT_WRITE_TO_FILE_DESCRIPTOR, as when the disk is full
        76,  # CANNOT_OPEN_FILE
        159,  # TIMEOUT_EXCEEDED
        201,  # QUOTA_EXCEEDED
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        203,  # NO_FREE_CONNECTION
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        225,  # NO_ZOOKEEPER
        236,  # ABORTED, as when the server shuts down
        241,  # MEMORY_LIMIT_EXCEEDED
        242,  # TABLE_IS_READ_ONLY
        243,  # NOT_ENOUGH_SPACE
        252,  # TOO_MANY_PARTS
        279,  # ALL_CONNECTION_TRIES_FAILED
        285,  # TOO_FEW_LIVE_REPLICAS
        286,  # UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
        319,  # UNKNOWN_STATUS_OF_INSERT
        394,  # QUERY_WAS_CANCELLED
        425,  # SYSTEM_ERROR
        439,  # CANNOT_SCHEDULE_TASK
        740,  # SERVER_OVERLOADED
        999,  # KEEPER_EXCEPTION
    }
)
_REMEDIES = {
    60: "run `audit migrate up`",  # UNKNOWN_TABLE
    81: "run `audit migrate up`",  # UNKNOWN_DATABASE
    16: "run `audit migrate up`",  # NO_SUCH_COLUMN_IN_TABLE
    47: "run `audit migrate up`",  # UNKNOWN_IDENTIFIER
    164: "the user's profile has readonly set: allow it to write",  # READONLY
    497: "grant the user what the message names",  # ACCESS_DENIED
    516: "check user and password in AUDIT_CLICKHOUSE",  # AUTHENTICATION_FAILED
    115: "this ClickHouse is older than the sink needs",  # UNKNOWN_SETTING
}


# What its connection logs it also raises.
logging.getLogger("clickhouse_driver.connection").setLevel(logging.CRITICAL)


def connect(clickhouse: ClickHouse, *, database: str | None = None, patience: int = 120) -> Client:
    """Make a client; it connects with its first query, and again after an error. Close it: it is a context.

    `settings_is_important` makes a misspelt setting an error: by default it would be ignored, and a
    typo would switch deduplication off.

    Args:
        clickhouse: where it is.
        database: another one than its own.
        patience: seconds that it may be silent while it works.
    """
    return Client(
        clickhouse.host,
        port=clickhouse.port,
        user=clickhouse.user,
        password=clickhouse.password.get_secret_value(),
        database=clickhouse.database if database is None else database,
        settings_is_important=True,
        connect_timeout=5,
        send_receive_timeout=patience,
        tcp_keepalive=True,
        client_name="audit-sink",
    )


@contextmanager
def explained() -> Iterator[None]:
    """Turn the driver's errors into ours.

    Raises:
        RowRefused: a row's content is at fault.
        Unreachable: the server is away, full or busy; also when the outcome of an insert is unknown.
        Misconfigured: anything else.
    """
    try:
        yield
    except driver.ServerException as error:
        raise _sorted(error.code, _first_line(error.message)) from error
    except (driver.Error, OSError, EOFError) as error:
        raise Unreachable(
            f"ClickHouse does not answer: {str(error) or type(error).__name__}",
            remedy="check that it runs and that AUDIT_CLICKHOUSE names it",
        ) from error


def _sorted(code: int, text: str) -> Exception:
    message = f"ClickHouse refuses ({code}): {text}"
    if code in _ROW:
        return RowRefused(message, code=code)
    if code in _WAIT:
        return Unreachable(message)
    return Misconfigured(message, remedy=_REMEDIES.get(code, ""))


def _first_line(message: str) -> str:
    """The server appends its stack trace; a log needs the first line, without the class's name."""
    return message.partition(". Stack trace:")[0].removeprefix("DB::Exception: ").strip()


def query(client: Client, sql: str, parameters: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
    """Ask, and get each row by its columns' names.

    Raises:
        Unreachable, Misconfigured: as `explained` says.
    """
    with explained():
        rows, columns = client.execute(sql, parameters, with_column_types=True)
    return [dict(zip((name for name, _ in columns), row, strict=True)) for row in rows]
