from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_exporter.clickhouse import broken_off
from audit_exporter.errors import QueryFailed
from audit_exporter.rows import Block, ahead, whole_rows

END = b"</row>\n"
ROWS = st.lists(st.binary(max_size=30).filter(lambda row: b"<" not in row), max_size=30)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[begin:end] for begin, end in pairwise(places)]


@given(ROWS, st.lists(st.integers(0, 2000), max_size=20))
def test_rows_stay_whole_however_the_answer_is_cut(rows, cuts):
    data = b"".join(row + END for row in rows)
    blocks = list(whole_rows(pieces(data, cuts), END))
    assert b"".join(block.data for block in blocks) == data
    assert sum(block.rows for block in blocks) == len(rows)
    assert all(block.data.endswith(END) for block in blocks)


@given(ROWS.filter(bool), st.data())
def test_a_block_is_split_between_rows(rows, data):
    first = data.draw(st.integers(0, len(rows)))
    block = Block(b"".join(row + END for row in rows), len(rows))
    head, tail = block.split(first, END)
    assert head == Block(b"".join(row + END for row in rows[:first]), first)
    assert tail == Block(b"".join(row + END for row in rows[first:]), len(rows) - first)


def test_an_answer_that_ends_within_a_row_is_an_error():
    blocks = whole_rows([b"a</row>\nb"], END)
    assert next(blocks).rows == 1
    with pytest.raises(QueryFailed, match="middle of a row"):
        next(blocks)


def test_clickhouses_reason_is_found_at_the_end_of_an_answer():
    said = (
        b"__exception__\r\nabcd\r\nCode: 241. DB::Exception: Memory limit exceeded. (version 26.9.2.1)\n"
        b"40 abcd\r\n__exception__\r\n"
    )
    with pytest.raises(QueryFailed) as caught:
        list(whole_rows([b"a</row>\n", said], END))
    assert caught.value.message == "ClickHouse: Memory limit exceeded."


def test_an_events_text_is_not_taken_for_clickhouses_reason():
    assert broken_off(b'{"user_agent":"__exception__"}\n') is None
    assert broken_off(b"__exception__\r\nabcd\r\nCode: 1\n1 abcd\r\n__exception__\r\nmore\n") is None


def test_what_the_reading_thread_raises_is_raised_to_the_writer():
    def failing():
        yield Block(b"a", 1)
        raise OSError("gone")

    blocks = ahead(failing())
    assert next(blocks) == Block(b"a", 1)
    with pytest.raises(OSError, match="gone"):
        next(blocks)


def test_leaving_early_ends_the_reading_thread():
    closed = []

    def endless():
        try:
            while True:
                yield Block(b"a", 1)
        finally:
            closed.append(True)

    source = endless()
    blocks = ahead(source, depth=2)
    next(blocks)
    blocks.close()
    source.close()
    assert closed == [True]
