"""Bound values: they travel beside a query's text, never in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

Value = int | str | list[str]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"})
_QUOTED = _ESCAPES | {ord("'"): "\\'"}


@dataclass(frozen=True, slots=True)
class Query:
    """A query's text with placeholders like {p0:String}, and their values."""

    sql: str
    parameters: Mapping[str, Value] = field(default_factory=dict)


class Binder:
    """Collects values while a query is written; every method returns the placeholder to write."""

    def __init__(self) -> None:
        self.parameters: dict[str, Value] = {}

    def text(self, value: str) -> str:
        """A string."""
        return self._bind(value, "String")

    def texts(self, values: tuple[str, ...]) -> str:
        """An array of strings."""
        return self._bind(list(values), "Array(String)")

    def moment(self, value: datetime) -> str:
        """A moment, exact to the microsecond."""
        return f"fromUnixTimestamp64Micro({self._bind(microseconds(value), 'Int64')}, 'UTC')"

    def uuid(self, value: UUID) -> str:
        """An event's id."""
        return self._bind(str(value), "UUID")

    def number(self, value: int) -> str:
        """A count that cannot be negative."""
        return self._bind(value, "UInt64")

    def _bind(self, value: Value, kind: str) -> str:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:{kind}}}"


def microseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def as_http(parameters: Mapping[str, Value]) -> dict[str, str]:
    """The values as ClickHouse's HTTP interface takes them: with TSV's escapes, arrays as literals."""
    return {f"param_{name}": _http(value) for name, value in parameters.items()}


def _http(value: Value) -> str:
    if isinstance(value, list):
        items = ",".join(f"'{item.translate(_QUOTED)}'" for item in value)
        return f"[{items}]"
    return str(value).translate(_ESCAPES)
