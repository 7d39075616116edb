"""Values on a terminal: what would move the cursor, recolour or reorder the text is shown, not obeyed."""

import re

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_PICTURES = 0x2400  # U+2400 is the picture of NUL, and so on in order
_DELETE = 0x7F


def visible(text: str) -> str:
    """The text with pictures or escapes in place of control, bidirectional and invisible characters."""
    return _UNSAFE.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(_PICTURES + code)
    return "␡" if code == _DELETE else f"\\u{code:04x}"
