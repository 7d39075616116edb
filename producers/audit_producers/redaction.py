"""Secrets stay with the service: their values are replaced before anything leaves the process.

A field is secret by its name, at any depth of a value. That it changed is still recorded.
"""

import re
from functools import lru_cache

import msgspec
from msgspec import UNSET, Raw, UnsetType

from audit_schemas.redaction import REDACTED, redacted

__all__ = ["REDACTED", "is_secret", "is_secret_path", "redacted", "without_secrets"]

_PARTS = (
    "password", "passwd", "passphrase", "passcode", "secret", "token", "apikey", "accesskey", "privatekey",
    "signingkey", "encryptionkey", "sessionkey", "authorization", "credential", "cookie", "bearer", "cvv",
)  # fmt: skip
"""Anywhere in a name."""
_WORDS = frozenset({"pwd", "pin", "otp", "totp", "cvc", "jwt", "pem", "auth"})
"""As a word of a name: too short to mean a secret within another word."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


@lru_cache(maxsize=8192)
def is_secret(name: str) -> bool:
    """Whether a field's name says that its value is a secret: apiKey, api-key and X_API_KEY alike."""
    words = [word.lower() for word in _WORD.findall(name)]
    plain = "".join(words)
    return not _WORDS.isdisjoint(words) or any(part in plain for part in _PARTS)


@lru_cache(maxsize=8192)
def is_secret_path(path: str) -> bool:
    """Whether a dotted path leads to a secret, or to something within one."""
    return any(is_secret(name) for name in path.split("."))


def without_secrets(text: Raw | UnsetType) -> Raw | UnsetType:
    """JSON text with the secret fields of its objects replaced; everything else to the digit as it was."""
    if text is UNSET or b"{" not in bytes(text):
        return text
    return Raw(msgspec.json.encode(_cleaned(text)))


def _cleaned(text: Raw) -> object:
    start = bytes(text).lstrip()[:1]
    if start == b"{":
        fields = msgspec.json.decode(text, type=dict[str, Raw])
        return {name: redacted(item) if is_secret(name) else _cleaned(item) for name, item in fields.items()}
    if start == b"[":
        return [_cleaned(item) for item in msgspec.json.decode(text, type=list[Raw])]
    return text
