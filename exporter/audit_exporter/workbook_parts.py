"""The small parts of a workbook: what stands around the rows, as SpreadsheetML wants it (ECMA-376)."""

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from audit_exporter.columns import Column

SHEET = "Audit log"

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"

_STYLES = f"""<styleSheet xmlns="{_MAIN}">
<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>
<fonts count="2">
<font><sz val="11"/><name val="Calibri"/><family val="2"/></font>
<font><b/><sz val="11"/><color rgb="FFFFFFFF"/><name val="Calibri"/><family val="2"/></font>
</fonts>
<fills count="3">
<fill><patternFill patternType="none"/></fill>
<fill><patternFill patternType="gray125"/></fill>
<fill><patternFill patternType="solid"><fgColor rgb="FF1F3864"/><bgColor indexed="64"/></patternFill></fill>
</fills>
<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>
<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" applyAlignment="1">
<alignment horizontal="left" vertical="top"/></xf></cellStyleXfs>
<cellXfs count="4">
<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0" applyAlignment="1">
<alignment horizontal="left" vertical="top"/></xf>
<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyAlignment="1">
<alignment horizontal="left" vertical="top"/></xf>
<xf numFmtId="0" fontId="1" fillId="2" borderId="0" xfId="0" applyFont="1" applyFill="1" applyAlignment="1">
<alignment vertical="center"/></xf>
<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0" applyAlignment="1">
<alignment horizontal="left" vertical="top" wrapText="1"/></xf>
</cellXfs>
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>
</styleSheet>"""
"""Cell styles by number: 0 text, 1 a moment, 2 the header, 3 a text of several lines."""

_BUTTON = 4
"""Room for the button of the filter beside a heading."""


def sheet_head(columns: Sequence[Column], zone: str, *, first: bool) -> bytes:
    """Everything of a sheet before its rows: the frozen header, the widths, the headings."""
    titles = [column.title(zone) for column in columns]
    widths = "".join(
        f'<col min="{n}" max="{n}" width="{max(column.width, len(title) + _BUTTON)}" customWidth="1"/>'
        for n, (column, title) in enumerate(zip(columns, titles, strict=True), 1)
    )
    cells = "".join(
        f'<c s="2" t="inlineStr"><is><t xml:space="preserve">{escape(title)}</t></is></c>' for title in titles
    )
    selected = ' tabSelected="1"' if first else ""
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView{selected} workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        '<selection pane="bottomLeft" activeCell="A2" sqref="A2"/></sheetView></sheetViews>'
        f"<cols>{widths}</cols>"
        f'<sheetData><row ht="20" customHeight="1">{cells}</row>'
    ).encode()


def sheet_tail(columns: Sequence[Column], rows: int) -> bytes:
    """Everything of a sheet after its rows: the filter over all of them."""
    return f'</sheetData><autoFilter ref="A1:{_letters(len(columns))}{rows + 1}"/></worksheet>'.encode()


def parts(columns: Sequence[Column], sheet_rows: Sequence[int]) -> dict[str, bytes]:
    """The parts beside the sheets, by name.

    Args:
        columns: the sheets' columns.
        sheet_rows: how many rows each sheet holds, its header aside.
    """
    numbers = range(1, len(sheet_rows) + 1)
    texts = {
        "[Content_Types].xml": _content_types(numbers),
        "_rels/.rels": _relations([("officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": _workbook(columns, sheet_rows),
        "xl/_rels/workbook.xml.rels": _relations(
            [*(("worksheet", f"worksheets/sheet{n}.xml") for n in numbers), ("styles", "styles.xml")]
        ),
        "xl/styles.xml": _STYLES,
    }
    return {name: (_XML + text).encode() for name, text in texts.items()}


def _workbook(columns: Sequence[Column], sheet_rows: Sequence[int]) -> str:
    names = [SHEET if n == 1 else f"{SHEET} {n}" for n in range(1, len(sheet_rows) + 1)]
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(names, 1)
    )
    # Excel keeps a filter's range under this hidden name too.
    filters = "".join(
        f'<definedName name="_xlnm._FilterDatabase" localSheetId="{n}" hidden="1">'
        f"'{name}'!$A$1:${_letters(len(columns))}${rows + 1}</definedName>"
        for n, (name, rows) in enumerate(zip(names, sheet_rows, strict=True))
    )
    return (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><bookViews><workbookView/></bookViews>'
        f"<sheets>{sheets}</sheets><definedNames>{filters}</definedNames></workbook>"
    )


def _content_types(numbers: range) -> str:
    overrides = [
        ("/xl/workbook.xml", "sheet.main"),
        ("/xl/styles.xml", "styles"),
        *((f"/xl/worksheets/sheet{n}.xml", "worksheet") for n in numbers),
    ]
    listed = "".join(
        f'<Override PartName="{part}" ContentType="{_KIND}.{kind}+xml"/>' for part, kind in overrides
    )
    return (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{listed}</Types>'
    )


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def _letters(number: int) -> str:
    """A column's name: 1 is A, 27 is AA."""
    name = ""
    while number:
        number, digit = divmod(number - 1, 26)
        name = chr(ord("A") + digit) + name
    return name
