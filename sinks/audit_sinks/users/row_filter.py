r"""The condition that binds a log-in to accounts: an account's name becomes a literal that is only itself.

The condition is SQL within XML within a configuration that has substitutions of its own (`${...}`). So every
byte beyond the plainest is written as \xHH, which all three pass on and only ClickHouse's parser undoes.
"""

import re
from collections.abc import Sequence

from audit_schemas.errors import Invalid

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:@/ ")
_LITERAL = re.compile(r"'((?:[A-Za-z0-9\-_.:@/ ]|\\x[0-9a-f]{2})*)'")
_ESCAPE = re.compile(rb"\\x([0-9a-f]{2})")
_BEGIN, _END = "account_id IN (", ")"


def row_filter(accounts: Sequence[str]) -> str:
    """The condition in SQL that only rows of these accounts meet.

    Args:
        accounts: at least one.
    """
    return f"{_BEGIN}{', '.join(map(_literal, accounts))}{_END}"


def read_accounts(condition: str) -> tuple[str, ...]:
    """The accounts of a condition that `row_filter` made.

    Raises:
        Invalid: somebody else made it.
    """
    literals = _LITERAL.findall(condition)
    accounts = tuple(_ESCAPE.sub(_byte, text.encode()).decode(errors="replace") for text in literals)
    if not accounts or row_filter(accounts) != condition:
        raise Invalid(f"{condition!r} is not a filter that `audit user` writes")
    return accounts


def _literal(account: str) -> str:
    return "'" + "".join(chr(byte) if byte in _PLAIN else f"\\x{byte:02x}" for byte in account.encode()) + "'"


def _byte(found: re.Match[bytes]) -> bytes:
    return bytes([int(found[1], 16)])
