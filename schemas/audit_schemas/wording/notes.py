"""What the processor writes on an event that it had to correct or could not decide.

A note is one of these phrases, and the value in question behind a colon where there is one: the
phrase is what is counted.
"""

OUT_OF_RANGE = "occurred_at out of range"
UNKNOWN_MODULE = "unknown module"
UNREADABLE_IP = "unreadable ip"
BARE_SECRET = "secret not redacted"  # noqa: S105 - a phrase

_LONGEST_VALUE = 100


def note(phrase: str, value: str = "") -> str:
    """Make a note; a long value is cut."""
    if not value:
        return phrase
    return f"{phrase}: {value if len(value) <= _LONGEST_VALUE else value[: _LONGEST_VALUE - 1] + '…'}"


def phrase_of(text: str) -> str:
    """The phrase of a note, without its value."""
    return text.partition(":")[0]


def value_of(text: str) -> str:
    """The value of a note, cut where it was long; empty where it has none."""
    return text.partition(": ")[2]
