"""How one value, which is JSON text, is shown within a sentence, by the kind of its field.

A value that does not fit its kind is shown as it is: nothing here raises.
"""

import html
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
from msgspec import Raw

from audit_schemas.catalogue import Field

T = TypeVar("T")

LONGEST_VALUE = 60
LONGEST_NAME = 120

EMPTY = ("", "null", '""')
"""JSON texts that show nothing: absent, null and an empty string."""

Show = Callable[[str], str]
"""From JSON text to what a person reads in one line; empty where it shows nothing."""

_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::(\d\d)(?:\.\d+)?)?(?:([Zz])|([+-]\d\d):?(\d\d))", re.ASCII
)
_DIGITS = re.compile(r"\d{1,12}", re.ASCII)
_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
_MARKUP = re.compile(
    r"<(script|style)\b[^<>]*>.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)|</?[a-z!][^<>]*>",
    re.IGNORECASE | re.DOTALL,
)
_RICH = 2000
"""Characters of a rich text that are looked at: markup may be far longer than what it shows."""


def shower(field: Field) -> Show:
    """The function that shows the values of a field."""
    if field.kind == "choice":
        return _chosen(field.choices)
    if field.kind == "duration":
        return _duration(_SECONDS[field.unit])
    return _BY_KIND.get(field.kind, shown_value)


def shown_value(text: str) -> str:
    """A value as a person reads it: strings without quotes, references by name, in one line, not too long."""
    return shortened(plain(text), LONGEST_VALUE)


def plain(text: str) -> str:
    """A value without its quotes, or a reference's name; whole, in as many lines as it has."""
    if text.startswith('"'):
        return decoded(text, str, text)
    if text.startswith("{"):
        return _named(text)
    return "" if text == "null" else text


def _named(text: str) -> str:
    """A reference by its name, or else by its id; any other object as it is."""
    fields = decoded(text, dict[str, Raw], {})
    for key in ("name", "id"):
        value = str(fields.get(key, b""), "utf-8", "replace")
        if value not in EMPTY and not value.startswith(("{", "[")):
            return plain(value)
    return text


def _boolean(text: str) -> str:
    return {"true": "yes", "false": "no"}.get(text) or shown_value(text)


def _chosen(choices: Mapping[str, str]) -> Show:
    def show(text: str) -> str:
        value = plain(text)
        return choices.get(value) or shortened(value, LONGEST_VALUE)

    return show


def _money(text: str) -> str:
    """An amount to the digit, and its currency."""
    fields = decoded(text, dict[str, Raw], {}) if text.startswith("{") else {}
    parts = [plain(str(fields.get(key, b""), "utf-8", "replace")) for key in ("amount", "currency")]
    return shortened(" ".join(parts), LONGEST_VALUE) if all(parts) else shown_value(text)


def _date(text: str) -> str:
    """A moment to the second with its offset; one without a zone names no moment and stays as it is."""
    found = _MOMENT.fullmatch(plain(text))
    if not found:
        return shown_value(text)
    day, minute, second, utc, hours, minutes = found.groups()
    clock = minute if second in (None, "00") else f"{minute}:{second}"
    return f"{day} {clock} {'UTC' if utc else f'{hours}:{minutes}'}"


def _duration(seconds: int) -> Show:
    def show(text: str) -> str:
        value = plain(text)
        return _span(int(value) * seconds) if _DIGITS.fullmatch(value) else shown_value(text)

    return show


def _span(seconds: int) -> str:
    """Whole seconds in words: 5400 is `1 hour 30 minutes`."""
    parts = []
    for unit, length in reversed(_SECONDS.items()):
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count} {unit if count > 1 else unit[:-1]}")
    return " ".join(parts) or "0 seconds"


def _rich(text: str) -> str:
    """The words of a text with markup."""
    words = html.unescape(_MARKUP.sub(" ", plain(text)[:_RICH]))
    return shortened(" ".join(words.split()), LONGEST_VALUE)


_BY_KIND: Mapping[str, Show] = {"boolean": _boolean, "money": _money, "date": _date, "rich_text": _rich}


def decoded(text: str, kind: type[T], otherwise: T) -> T:
    """A value of a type; another one where it is not of it, or can not be read, such as half a surrogate."""
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return otherwise


def shortened(text: str, longest: int) -> str:
    """Cut a text and put it into one line."""
    line = " ".join(text[: longest * 4].split()) if not text.isprintable() else text
    return line if len(line) <= longest else line[: longest - 1] + "…"


def humanized(name: str) -> str:
    """An identifier as words: `smart_rule` reads `smart rule`."""
    return shortened(name.replace("_", " "), LONGEST_VALUE)
