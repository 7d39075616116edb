"""A cell of a file as a SQL expression: ClickHouse renders it, whatever the value holds.

What is read back is what was stored, by these rules (`read_csv_cell` and `read_xlsx_cell` apply them):

- Both kinds of file: bytes that are no UTF-8 become U+FFFD.
- CSV: a value that a spreadsheet program would take for a formula gets one apostrophe in front, the
  sign by which those programs themselves mark a text. That is a value in which one of = + - @ (or its
  full-width form) comes first, after any apostrophes, blanks and control characters. A plain negative
  number (-5) and signs alone (---) stand as they are, since every program shows them so. To read:
  where a value begins with an apostrophe and, after apostrophes, blanks and control characters,
  such a sign follows, remove one apostrophe.
- XLSX: every value is an inline text, and so no formula needs a guard. What XML cannot hold is
  written as _xHHHH_, and a literal underscore before xHHHH as _x005F_, as ECMA-376 part 1, 22.9.2.19
  says; spreadsheet programs undo this. A cell holds 32,767 UTF-16 units: a longer value is cut, and
  ends by saying how much was cut.
"""

import re

from audit_exporter.columns import Column

CELL_UNITS = 32_767
"""What a cell of a workbook holds, in UTF-16 units."""
_KEPT_UNITS = CELL_UNITS - 47
"""Leaves room for the words that say how much was cut."""

ROW_END = b"\xff\r\n"
"""Ends a row of CSV on its way here: no valid UTF-8 holds the byte 0xFF, so no value can imitate it."""

_LEADING = "\\x00-\\x20\\x7F\u00a0\u3000\ufeff'"
_SIGN = "[=+@\uff0b\uff0d\uff1d\uff20-]"
_FORMULA = f"^[{_LEADING}]*{_SIGN}"
_GUARDED = re.compile(f"^'[{_LEADING}]*{_SIGN}")
_PLAIN = r"^(?:-[0-9]+(?:\.[0-9]+)?|[=+@-]+)$"
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")

_CONTROL = r"\x00-\x08\x0B-\x1F\x{FFFE}\x{FFFF}"
_FORBIDDEN = [chr(code) for code in (*range(9), *range(0x0B, 0x20), 0xFFFE, 0xFFFF)]


def literal(text: str) -> str:
    """A constant of this module in SQL; never a value from outside."""
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + re.sub(r"[\x00-\x1f]", lambda found: f"\\x{ord(found[0]):02x}", quoted) + "'"


def csv_row(columns: tuple[Column, ...], zone: str) -> str:
    """A row of CSV up to its last line feed, which the format adds; `zone` is a placeholder."""
    cells = [_csv_moment(c.sql, zone) if c.kind == "moment" else _csv_text(c.sql) for c in columns]
    return "concat(" + ", ',', ".join(cells) + r", '\xFF\r')"


def _csv_text(value: str) -> str:
    guard = f"if(match({value}, {literal(_FORMULA)}) AND NOT match({value}, {literal(_PLAIN)}), '\\'', '')"
    return rf"""'"', {guard}, replaceAll(toValidUTF8({value}), '"', '""'), '"'"""


def _csv_moment(value: str, zone: str) -> str:
    """RFC 3339 with the zone's offset: exact, and unambiguous in the hour that occurs twice."""
    text = f"formatDateTime(toTimeZone(toDateTime64({value}, 6), {zone}), '%Y-%m-%dT%H:%i:%S.%f%z')"
    return f"ifNull(concat(substring({text}, 1, 29), ':', substring({text}, 30)), '')"


def xlsx_row(columns: tuple[Column, ...], zone: str) -> str:
    """A row of a sheet's XML."""
    cells = [_xlsx_moment(c.sql, zone) if c.kind == "moment" else _xlsx_text(c.sql) for c in columns]
    return f"concat('<row>', {', '.join(cells)}, '</row>')"


def _xlsx_text(value: str) -> str:
    odd = f"[{_CONTROL}]|_x[0-9A-Fa-f]{{4}}"
    plain = f"isValidUTF8({value}) AND length({value}) <= {CELL_UNITS} AND NOT match({value}, {literal(odd)})"
    text = f"if({plain}, {value}, {_escaped(_cut(f'toValidUTF8({value})'))})"
    style = rf"if(position({value}, '\n') = 0, '', ' s=\"3\"')"
    return (
        f"""'<c', {style}, ' t="inlineStr"><is><t xml:space="preserve">', """
        f"""encodeXMLComponent({text}), '</t></is></c>'"""
    )


def _escaped(value: str) -> str:
    pattern, replacement = literal("_(x[0-9A-Fa-f]{4})"), literal(r"_x005F_\1")
    literals = f"replaceRegexpAll({value}, {pattern}, {replacement})"
    parts = f"extractAll({literals}, {literal(f'[^{_CONTROL}]+|[{_CONTROL}]')})"
    characters = ", ".join(literal(character) for character in _FORBIDDEN)
    escapes = ", ".join(f"'_x{ord(character):04X}_'" for character in _FORBIDDEN)
    return f"arrayStringConcat(arrayMap(part -> transform(part, [{characters}], [{escapes}], part), {parts}))"


def _cut(value: str) -> str:
    """Cut in UTF-16, so that no pair of surrogates is torn apart."""
    units = f"convertCharset({value}, 'UTF-8', 'UTF-16LE')"
    torn = f"(reinterpretAsUInt16(substring({units}, {2 * _KEPT_UNITS - 1}, 2)) BETWEEN 0xD800 AND 0xDBFF)"
    kept = f"convertCharset(substring({units}, 1, {2 * _KEPT_UNITS} - 2 * {torn}), 'UTF-16LE', 'UTF-8')"
    rest = f"toString(lengthUTF8({value}) - lengthUTF8({kept}))"
    short = f"concat({kept}, '… [', {rest}, ' more characters were cut]')"
    return f"if(length({units}) <= {2 * CELL_UNITS}, {value}, {short})"


def _xlsx_moment(value: str, zone: str) -> str:
    """Days since 1899-12-30 in the zone's own clock: a date that spreadsheet programs sort and filter."""
    exact = f"toDateTime64({value}, 6)"
    local = f"toUnixTimestamp64Milli({exact}) + 1000 * timeZoneOffset(toTimeZone({exact}, {zone}))"
    return f"""ifNull(concat('<c s="1"><v>', toString(({local}) / 86400000 + 25569), '</v></c>'), '<c/>')"""


def read_csv_cell(cell: str) -> str:
    """The value that a CSV file's cell stands for."""
    return cell[1:] if _GUARDED.match(cell) else cell


def read_xlsx_cell(text: str) -> str:
    """The value that the text of a workbook's cell stands for; spreadsheet programs do so too."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
