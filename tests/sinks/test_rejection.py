from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_sinks.batches import Row
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


@given(count=st.integers(0, 200), bad=st.sets(st.integers(0, 199), max_size=20))
def test_exactly_the_bad_rows_are_refused_and_the_others_stored_in_order(count: int, bad: set[int]) -> None:
    table = Table(bad)
    refused = {refusal.record for refusal in insert_all_but_refused(rows(count), table.insert, limit=20)}
    assert refused == bad & set(range(count))
    assert table.rows == [offset for offset in range(count) if offset not in bad]


def test_a_table_that_refuses_everything_stops_the_sink() -> None:
    with pytest.raises(Misconfigured, match="more than 5 rows"):
        insert_all_but_refused(rows(100), Table(set(range(100))).insert, limit=5)
