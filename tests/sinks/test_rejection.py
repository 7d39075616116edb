from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_sinks.batches import Refusal, Row
from audit_sinks.errors import Misconfigured, RowRefused
from audit_sinks.rejection import insert_all_but_refused


class Table:
    """Takes whole blocks or nothing, as ClickHouse does."""

    def __init__(self, bad: set[int]) -> None:
        self.bad = bad
        self.rows: list[int] = []

    def insert(self, block: Sequence[Row]) -> None:
        if self.bad & {row.offset for row in block}:
            raise RowRefused("bad", code=469)
        self.rows += [row.offset for row in block]


def rows(count: int) -> list[Row]:
    return [Row(offset, b"{}", offset) for offset in range(count)]


def anything(_: Sequence[Refusal]) -> None:
    """Any number may be refused."""


@given(count=st.integers(0, 200), bad=st.sets(st.integers(0, 199), max_size=20))
def test_exactly_the_bad_rows_are_refused_and_the_others_stored_in_order(count: int, bad: set[int]) -> None:
    table = Table(bad)
    refused = insert_all_but_refused(rows(count), table.insert, anything)
    assert {refusal.record for refusal in refused} == bad & set(range(count))
    assert {refusal.offset for refusal in refused} == bad & set(range(count))
    assert table.rows == [offset for offset in range(count) if offset not in bad]


def test_a_table_that_refuses_everything_is_not_asked_for_every_row() -> None:
    def at_most_five(refusals: Sequence[Refusal]) -> None:
        if len(refusals) > 5:
            raise Misconfigured("too many")

    asked: list[int] = []

    def insert(block: Sequence[Row]) -> None:
        asked.append(len(block))
        raise RowRefused("bad", code=469)

    with pytest.raises(Misconfigured, match="too many"):
        insert_all_but_refused(rows(1000), insert, at_most_five)
    assert asked.count(1) == 6
