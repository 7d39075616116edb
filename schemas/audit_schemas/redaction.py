"""What stands in place of a secret value, whoever replaced it: the service's SDK, or the processor."""

from msgspec import UNSET, Raw, UnsetType

REDACTED = Raw(b'"[redacted]"')
REDACTED_TEXT = '"[redacted]"'


def redacted(value: Raw | UnsetType) -> Raw | UnsetType:
    """A secret value's replacement; absent and null say nothing and stay what they are."""
    return value if value is UNSET or bytes(value) == b"null" else REDACTED


def redacted_text(text: str) -> str:
    """The same of a value's JSON text, empty where the value is absent."""
    return text if text in ("", "null") else REDACTED_TEXT
