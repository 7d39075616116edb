"""What an event changed, in lines for a person: `Phone: +1 555 0100 -> +1 555 0199`."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from audit_exporter.table import text_of

_ABSENT = "(absent)"
_READS_AS_SOMETHING_ELSE = {"", "null", _ABSENT}
_LONGEST = 160
_HEADINGS = {"create": "Created", "delete": "Deleted"}


def change_lines(event: Mapping[str, Any], fields: Collection[str] = ()) -> list[str]:
    """One line for each changed field; first what else it was, if it was more than an update.

    Args:
        event: its columns action_type, outcome, description and changes.
        fields: show only these; how many others there are is said.
    """
    if event["outcome"] == "failure":
        return [text_of(event["description"])]
    changes = [tuple(map(text_of, change)) for change in event["changes"]]
    chosen = [change for change in changes if not fields or change[0] in fields]
    lines = [*_headings(event, changes), *(_line(event["action_type"], *change) for change in chosen)]
    return [*lines, *_others(len(changes) - len(chosen))]


def _headings(event: Mapping[str, Any], changes: Collection[object]) -> Iterator[str]:
    action = text_of(event["action_type"])
    if action in _HEADINGS:
        yield _HEADINGS[action]
    elif action != "update" or not changes:
        yield text_of(event["description"])


def _line(action: str, field: str, label: str, old: str, new: str) -> str:
    name = label or field
    if not (old or new):
        return f"{name}: changed, its values were not recorded"
    if action == "create" and not old:
        return f"{name}: {value_of(new)}"
    if action == "delete" and not new:
        return f"{name}: {value_of(old)}"
    return f"{name}: {value_of(old)} -> {value_of(new)}"


def _others(count: int) -> Iterator[str]:
    if count:
        yield f"and {count:,} other field{'s' * (count != 1)}"


def value_of(json: str) -> str:
    """A value's JSON text as people write it; texts that would read as something else stay quoted."""
    if not json:
        return _ABSENT
    try:
        value = msgspec.json.decode(json)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _cut(json)
    return _cut(value if isinstance(value, str) and _reads_as_itself(value) else json)


def _reads_as_itself(text: str) -> bool:
    return (
        text not in _READS_AS_SOMETHING_ELSE
        and text == text.strip()
        and not text.startswith('"')
        and " -> " not in text
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"
