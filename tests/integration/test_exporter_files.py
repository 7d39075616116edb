"""Files read back as what was stored, by the stated rules, on the real ClickHouse."""

import csv
import shutil
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import openpyxl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_rows import START, Log

from audit_exporter import workbook
from audit_exporter.cells import CELL_UNITS, read_csv_cell, read_xlsx_cell
from audit_exporter.columns import ACCOUNT, ACTION, WHEN, log_columns
from audit_exporter.export import Request, write
from audit_exporter.filters import Filter
from audit_exporter.query import render_query
from audit_exporter.rows import whole_rows
from audit_exporter.workbook import write_workbook
from audit_schemas.catalogue import catalogue

LOG = log_columns(catalogue())

ZONE = "Europe/Berlin"
ASTRAL = "\U0001d4b3"  # two UTF-16 units
HOSTILE = [
    "=1+1", "=cmd|' /C calc'!A0", "+1 555 0100", "+A1", "-5", "-3.25", "-2+3", "---", "@since", "@SUM(A1)",
    "=", "==", "'=1", "''---", "'quoted'", "\t=1", " =1", "\r\n=1", "\x00=1", "\uff1d1+1", "\u3000=1",
    'say "hi"', '"', '""', ",", "a,b\r\nc", "\n", "\r", "\r\n", "\n\n\n", "  spaces  ", "\t",
    "\x00", "\x01\x02\x1b[31m", "\x7f\x85\x9f", "\u2028\u2029", "\ufffe\uffff", "\ufeffbom",
    "_x000D_", "_x000D_x000D_", "__x0041_", "_x005F_x000D_", "_xZZZZ_", "<b>&amp;</b>]]>", "</row>\n",
    "\U0001f469\u200d\U0001f467", "اللغة العربية", "山田太郎", "007", "1e400",
    "12345678901234567890.123456789", "TRUE", "#N/A", "2026-01-02", "null", "\\N", "\\",
    "x" * 40_000, ASTRAL * 40_000, "x" + ASTRAL * 20_000, "é" * CELL_UNITS, "x" * (CELL_UNITS + 1),
    "=" + "\x01" * 33_000,
]  # fmt: skip


def exported(connection, log, folder, columns=(WHEN, ACTION), zone=ZONE):
    paths = {"csv": folder / "log.csv", "xlsx": folder / "log.xlsx"}
    files = write(connection, Request(Filter(accounts=(log.account,)), columns, zone), paths)
    return [file.rows for file in files]


def read_csv(path):
    csv.field_size_limit(1_000_000)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def read_arrow(path, column):
    table = pa_csv.read_csv(
        path,
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(column_types={column: pa.string()}),
    )
    return table.column(column).to_pylist()


def read_xlsx(path):
    with closing(openpyxl.load_workbook(path, read_only=True)) as book:
        return [tuple(row) for row in book.active.iter_rows()]


def shortened(value):
    """What a cell of a workbook keeps of a value."""
    units = value.encode("utf-16-le")
    if len(units) <= 2 * CELL_UNITS:
        return value
    kept = units[: 2 * (CELL_UNITS - 47)].decode("utf-16-le", "ignore")
    return f"{kept}… [{len(value) - len(kept)} more characters were cut]"


def assert_reads_back(connection, log, folder, values):
    """Values are stored oldest first, and files begin with the newest."""
    expected = list(reversed(values))
    assert exported(connection, log, folder) == [len(values)] * 2
    assert [read_csv_cell(row[1]) for row in read_csv(folder / "log.csv")[1:]] == expected
    assert [read_csv_cell(cell) for cell in read_arrow(folder / "log.csv", "Action")] == expected
    cells = [row[1] for row in read_xlsx(folder / "log.xlsx")[1:]]
    assert [read_xlsx_cell(cell.value or "") for cell in cells] == [shortened(value) for value in expected]
    assert {cell.data_type for cell in cells if cell.value} <= {"s", "inlineStr"}


def test_hostile_values_read_back_with_three_readers(connection, log, tmp_path):
    log.add({"target_type": "role", "description": value} for value in HOSTILE)
    assert_reads_back(connection, log, tmp_path, HOSTILE)


@settings(max_examples=25)
@given(st.lists(st.text() | st.text("=+-@'\t \"\r\n_x0D1,"), min_size=1, max_size=60))
def test_any_text_reads_back_with_three_readers(stack, connection, values):
    log = Log(stack.clickhouse)
    with TemporaryDirectory() as folder:
        log.add({"target_type": "role", "description": value} for value in values)
        assert_reads_back(connection, log, Path(folder), values)
    log.close()


def test_innocent_values_stand_in_the_csv_as_they_are_and_formulas_do_not(connection, log, tmp_path):
    innocent, formulas = ["---", "-5", "a=b", "'quoted'", "1-2"], ["=1+1", "+1", "-2+3", "@SUM(A1)", " =1"]
    log.add({"target_type": "role", "description": value} for value in reversed(innocent + formulas))
    exported(connection, log, tmp_path)
    cells = [row[1] for row in read_csv(tmp_path / "log.csv")[1:]]
    assert cells == innocent + [f"'{value}" for value in formulas]


def test_bytes_that_are_no_utf8_become_the_replacement_character(connection, log, tmp_path):
    log.add(
        {"target_type": "role", "description": value}
        for value in (b"a\xffb", b"\xed\xa0\x80", b"\xff\r\n", b"\xf0\x9f")
    )
    assert exported(connection, log, tmp_path) == [4, 4]
    written = [row[1] for row in read_csv(tmp_path / "log.csv")[1:]]
    assert [row[1].value.replace("_x000D_", "\r") for row in read_xlsx(tmp_path / "log.xlsx")[1:]] == written
    assert [cell.replace("\ufffd", "") for cell in written] == ["", "\r\n", "", "ab"]
    assert all("\ufffd" in cell for cell in written)


def test_moments_are_exact_in_the_csv_and_local_dates_in_the_workbook(connection, log, tmp_path):
    moments = [
        datetime(2026, 3, 29, 0, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, 0, 123456, tzinfo=UTC),
    ]
    log.add({"occurred_at": moment} for moment in moments)
    exported(connection, log, tmp_path)
    header, *rows = read_csv(tmp_path / "log.csv")
    assert header == ["When (Europe/Berlin)", "Action"]
    assert [datetime.fromisoformat(row[0]) for row in reversed(rows)] == moments
    assert rows[0][0] == "2026-10-25T02:30:00.123456+01:00"
    cells = [row[0] for row in reversed(read_xlsx(tmp_path / "log.xlsx")[1:])]
    local = [moment.astimezone(ZoneInfo(ZONE)).replace(tzinfo=None) for moment in moments]
    assert all(cell.is_date for cell in cells)
    assert all(
        abs(cell.value - moment) <= timedelta(milliseconds=1)
        for cell, moment in zip(cells, local, strict=True)
    )


def test_several_accounts_have_a_first_column_that_says_which(connection, log, tmp_path):
    log.add([{}])
    exported(connection, log, tmp_path, (ACCOUNT, *LOG))
    header, row = read_csv(tmp_path / "log.csv")
    assert header[0] == "Account"
    assert row[0] == log.account
    assert row[2:] == ["203.0.113.7", "Ada Lovelace", "update", "Contacts", "Grace Hopper: Changed the phone"]


def test_an_empty_timeframe_gives_files_with_headers(connection, log, tmp_path):
    assert exported(connection, log, tmp_path, LOG) == [0, 0]
    assert [len(read_csv(tmp_path / "log.csv")), len(read_xlsx(tmp_path / "log.xlsx"))] == [1, 1]


def test_a_full_sheet_goes_on_in_the_next(connection, log, tmp_path):
    log.add_many(25)
    query = render_query(Filter(accounts=(log.account,)), LOG, ZONE, "xlsx")
    with connection.stream(query) as pieces, (tmp_path / "log.xlsx").open("w+b") as file:
        totals = list(write_workbook(file, whole_rows(pieces, workbook.ROW_END), LOG, ZONE, sheet_rows=10))
    book = openpyxl.load_workbook(tmp_path / "log.xlsx")
    assert totals[-1] == 25
    assert book.sheetnames == ["Audit log", "Audit log 2", "Audit log 3"]
    assert [sheet.max_row for sheet in book] == [11, 11, 6]
    assert [sheet.freeze_panes for sheet in book] == ["A2"] * 3
    assert [sheet.auto_filter.ref for sheet in book] == ["A1:F11", "A1:F11", "A1:F6"]
    actions = [row[5] for sheet in book for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert actions == [f"Changed contact {number}" for number in reversed(range(25))]


@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")
def test_libreoffice_reads_the_same_values(connection, log, tmp_path):
    values = [
        value for value in HOSTILE if value.isprintable() and value.strip() == value and len(value) < 100
    ]
    log.add({"target_type": "role", "description": value} for value in values)
    exported(connection, log, tmp_path)
    command = ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to"]
    form = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    subprocess.run(
        [*command, form, "--outdir", str(tmp_path / "read"), str(tmp_path / "log.xlsx")],
        check=True,
        capture_output=True,
    )
    [converted] = (tmp_path / "read").iterdir()
    assert [row[1] for row in read_csv(converted)[1:]] == list(reversed(values))
    assert START.astimezone(ZoneInfo(ZONE)).strftime("%Y-%m-%d %H:%M:%S") == read_csv(converted)[-1][0]
