"""Whether the server has taken what was written: it looks at its files by itself, every few seconds."""

import time
from typing import Any

from audit_sinks.clickhouse import query
from audit_sinks.errors import Incomplete, Invalid, Misconfigured, Unreachable

_PATIENCE_SECONDS = 20.0
_PAUSE_SECONDS = 0.1


def refuse_known(client: Any, name: str) -> None:
    """Let no file of ours change a log-in that the server has from elsewhere.

    Raises:
        Invalid: the server has one of that name.
        Unreachable, Misconfigured: it cannot be asked.
    """
    if _knows(client, name):
        raise Invalid(f"the server has a log-in {name!r} already", remedy="choose another name")


def wait(client: Any, name: str, *, known: bool) -> None:
    """Wait until the server knows a log-in, or does not know it any more.

    Raises:
        Incomplete: it does not notice.
        Unreachable, Misconfigured: it cannot be asked.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while _knows(client, name) != known:
        if time.monotonic() > deadline:
            raise Incomplete(
                f"the file is written, and after {_PATIENCE_SECONDS:.0f} s the server still "
                f"{'does not know' if known else 'knows'} {name!r}",
                remedy="is AUDIT_CLICKHOUSE_USERS the folder of the server in AUDIT_CLICKHOUSE? see its log",
            )
        time.sleep(_PAUSE_SECONDS)


def reads_any_file(client: Any) -> bool:
    """Whether queries can read any file of the server, and so all accounts' rows, whatever they are granted.

    The embedded server is `clickhouse local`: its function `file` asks for no grant and knows no bounds.
    A full server answers by the default, or asks for a grant.

    Raises:
        Unreachable: it cannot be asked.
    """
    try:
        (row,) = query(client, "SELECT file('/dev/null', 'kept away') AS text")
    except Misconfigured:
        return False
    return bool(row["text"] == "")


def _knows(client: Any, name: str) -> bool:
    """Ask, and again while it does not answer: the embedded server begins anew when its users change."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return bool(query(client, "SELECT 1 FROM system.users WHERE name = %(name)s", {"name": name}))
        except Unreachable:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
