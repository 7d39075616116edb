"""How values and names are shown within a sentence."""

import msgspec

LONGEST_VALUE = 60
LONGEST_NAME = 120

EMPTY = ("", "null", '""')
"""JSON texts that show nothing: absent, null and an empty string."""


def shown_value(text: str) -> str:
    """A value's JSON text as a person reads it: strings without quotes, long ones cut, in one line."""
    if not text.startswith('"'):
        return shortened(text, LONGEST_VALUE)
    return shortened(msgspec.json.decode(text, type=str), LONGEST_VALUE)


def shortened(text: str, longest: int) -> str:
    """Cut a text and put it into one line."""
    line = " ".join(text[: longest * 4].split()) if not text.isprintable() else text
    return line if len(line) <= longest else line[: longest - 1] + "…"


def humanized(name: str) -> str:
    """An identifier as words: `smart_rule` reads `smart rule`."""
    return shortened(name.replace("_", " "), LONGEST_VALUE)
