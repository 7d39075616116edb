import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_exporter.cells import literal, read_csv_cell, read_xlsx_cell


@pytest.mark.parametrize("text", ["---", "-5", "-3.25", "plain", "'quoted'", "it's", "", "'", "a=b"])
def test_a_cell_without_a_guard_reads_as_it_stands(text):
    assert read_csv_cell(text) == text


@pytest.mark.parametrize(
    ("cell", "value"), [("'=1+1", "=1+1"), ("''=1", "'=1"), ("'@since", "@since"), ("'\t+1", "\t+1")]
)
def test_a_guard_is_removed(cell, value):
    assert read_csv_cell(cell) == value


def test_an_escaped_escape_reads_as_what_was_written():
    assert read_xlsx_cell("_x005F_x000D__x000D_") == "_x000D_\r"


@given(st.text())
def test_a_literal_never_ends_early(text):
    inside = literal(text)[1:-1].replace("\\\\", "").replace("\\'", "")
    assert "'" not in inside
