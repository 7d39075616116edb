"""Where in a TOML file a key stands, since tomllib names the line of a wrong syntax only."""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Path = tuple[str | int, ...]
"""Keys and, in arrays, numbers from 0, as pydantic names them."""


def line_of(text: str, path: Sequence[Any]) -> int:
    """The line, from 1, of a key in a TOML file; of the nearest key around it where it is not there."""
    lines: dict[Path, int] = {}
    for line, found in _keys(text):
        lines.setdefault(found, line)
    return next(
        (lines[tuple(path[:end])] for end in range(len(path), 0, -1) if tuple(path[:end]) in lines), 1
    )


def _keys(text: str) -> Iterator[tuple[int, Path]]:
    """Every key of a file with the line on which its statement begins."""
    header: Path = ()
    tables: Counter[Path] = Counter()
    for line, statement, content in _statements(text):
        if statement.lstrip().startswith("["):
            header = ()
            table: Any = content
            while table:
                ((key, table),) = table.items()
                header = (*header, key)
                if isinstance(table, list):
                    tables[header] += 1
                    header, table = (*header, tables[header] - 1), table[0]
            yield from ((line, header[:end]) for end in range(1, len(header) + 1))
        else:
            yield from ((line, (*header, *path)) for path in _paths(content))


def _statements(text: str) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    """A file's headers and assignments with their first lines: each the fewest lines that are TOML."""
    begun, statement = 1, ""
    for number, line in enumerate(text.split("\n"), 1):
        statement = f"{statement}\n{line}" if statement else line
        try:
            content = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        if content:
            yield begun, statement, content
        begun, statement = number + 1, ""


def _paths(content: object) -> Iterator[Path]:
    items: Any = ()
    if isinstance(content, Mapping):
        items = content.items()
    elif isinstance(content, list):
        items = enumerate(content)
    for key, value in items:
        yield (key,)
        yield from ((key, *path) for path in _paths(value))
