"""What a dump is made of: formats, compression, damage."""

import gzip
import importlib
import io
from pathlib import Path

import pytest

from audit_producers.history.dump import open_dump
from audit_producers.history.formats import Record, records
from audit_producers.history.mapping import read_mapping
from audit_schemas.errors import Invalid, Misconfigured

MAPPING = read_mapping("paper-trail")


def read(form, text: bytes) -> list[Record]:
    return list(records(io.BufferedReader(io.BytesIO(text)), form))


def compress(name: str, text: bytes) -> bytes:
    if name == "gz":
        return gzip.compress(text)
    for module in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(module).compress(text)
        except ModuleNotFoundError:
            continue
    raise AssertionError("no zstd")


def of_file(tmp_path: Path, name: str, content: bytes) -> list[Record]:
    file = tmp_path / name
    file.write_bytes(content)
    with file.open("rb") as stream:
        return list(open_dump(stream, MAPPING).records)


def test_json_lines_with_a_bom_and_empty_lines():
    assert read("jsonl", b'\xef\xbb\xbf{"a": 1}\r\n\n  {"b": 2}') == [
        Record(1, b'{"a": 1}'),
        Record(3, b'{"b": 2}'),
    ]


def test_the_elements_of_an_array_are_never_held_together():
    letter = "ä" * 1000
    text = "[" + ",\n".join(f'{{"n": {number}, "x": "{letter}"}}' for number in range(500)) + "\n]\n"
    found = read("json", text.encode())

    assert [one.line for one in found] == list(range(1, 501))
    assert found[499].raw == f'{{"n": 499, "x": "{letter}"}}'.encode()


@pytest.mark.parametrize("text", [b"", b"[]", b" [ \n ] "])
def test_an_array_without_elements(text: bytes):
    assert read("json", text) == []


def test_a_broken_array_is_read_up_to_where_it_breaks():
    first, second = read("json", b'[{"a": 1},\n {"b": [2}]')

    assert first == Record(1, b'{"a": 1}')
    assert (second.line, second.raw) == (2, b'{"b": [2}]')
    assert "cannot be read on: Expecting ',' delimiter" in second.fault


def test_rows_keep_their_lines_bytes_and_faults():
    text = b'a,b\r\n1,"x\r\n""y"""\r\n2\r\n\r\n"3"4,5\r\n6,\xff\r\n7,8\r\n'
    whole, short, quoted, bytes_, last = read("csv", b"\xef\xbb\xbf" + text)

    assert whole == Record(2, b'1,"x\r\n""y"""', {"a": "1", "b": 'x\r\n"y"'})
    assert (short.line, short.raw, short.fault) == (4, b"2", "the row has 1 cells, the header 2")
    assert (quoted.line, quoted.fault) == (6, "',' expected after '\"'")
    assert (bytes_.raw, bytes_.fault) == (b"6,\xff", "is not in the file's encoding: byte 0xff")
    assert last == Record(8, b"7,8", {"a": "7", "b": "8"})


def test_an_open_quote_takes_no_more_than_a_cell_may_have():
    found = read("csv", b'a\n"' + b"x" * (17 << 20) + b"\n1\n")

    assert "field larger than field limit" in found[0].fault


@pytest.mark.parametrize("compression", ["", "gz", "zst"])
@pytest.mark.parametrize(
    ("name", "text", "raw"),
    [
        ("versions.csv", b"id,event\n1,create\n", b"1,create"),
        ("dump.jsonl", b'{"id": 1}\n', b'{"id": 1}'),
        ("dump", b'\n{"id": 1}\n', b'{"id": 1}'),
        ("dump.json", b'[{"id": 1}]', b'{"id": 1}'),
        ("dump.txt", b"id,event\n1,create\n", b"1,create"),
    ],
)
def test_a_dump_is_opened_as_what_it_is(tmp_path: Path, compression: str, name: str, text: bytes, raw: bytes):
    content = compress(compression, text) if compression else text
    (found,) = of_file(tmp_path, f"{name}.{compression}" if compression else name, content)

    assert found.raw == raw


@pytest.mark.parametrize("compression", ["gz", "zst"])
def test_several_frames_are_one_dump(tmp_path: Path, compression: str):
    content = compress(compression, b'{"id": 1}\n') + compress(compression, b'{"id": 2}\n')

    assert [one.line for one in of_file(tmp_path, "dump.jsonl", content)] == [1, 2]


@pytest.mark.parametrize(("compression", "is_cut"), [("gz", True), ("gz", False), ("zst", True)])
def test_a_damaged_file_is_said_to_be_so(tmp_path: Path, compression: str, is_cut: bool):
    content = bytearray(compress(compression, b"".join(b'{"id": %d}\n' % number for number in range(50_000))))
    half = len(content) // 2
    if is_cut:
        del content[half:]
    else:
        content[half : half + 16] = bytes(it ^ 0xFF for it in content[half : half + 16])

    with pytest.raises(Invalid, match="damaged, or not whole"):
        of_file(tmp_path, "dump.jsonl", bytes(content))


def test_csv_without_a_mapping_is_refused(tmp_path: Path):
    file = tmp_path / "dump.csv"
    file.write_text("id\n1\n")
    with file.open("rb") as stream, pytest.raises(Misconfigured, match="what its columns mean"):
        open_dump(stream, None)
