"""Nobody reads another account's rows: every way is tried by somebody who may read one account only.

Three things make it a test that can fail: the same ways do show the attacker's own rows, which somebody of a
third account does not see; an administrator finds the other account's marks in every table and view; and each
way is asked before the other account has a row and after it has, with the same answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from audit_schemas.settings import ClickHouse
from audit_sinks.clickhouse import connect

from . import closed_ways, pointed_ways, reading_ways
from .way import Aim, Fate, Way, leaks
from .world import Answer, Native, Web, aim, fill, kept

POINTED = [*pointed_ways.ways(), *closed_ways.ways()]
WAYS = [*reading_ways.ways(), *POINTED]
SHOWN = 300
_REFUSALS = {
    164,  # READONLY
    344,  # SUPPORT_IS_DISABLED
    392,  # QUERY_IS_PROHIBITED
    452,  # SETTING_CONSTRAINT_VIOLATION
    497,  # ACCESS_DENIED
}


@dataclass(frozen=True, slots=True)
class Attack:
    """What came of all ways."""

    mine: Aim
    other: Aim
    kept: dict[str, str]
    """By table and view, what an administrator finds of the other account."""
    web: dict[str, Answer]
    native: dict[str, Answer]
    """Without the tricks on each table, in which the server knows no difference."""
    before: dict[str, Answer]
    """Over HTTP, before the other account had any row."""
    own: dict[str, Answer]
    """Over HTTP, aimed at the attacker's own account."""
    nothing: dict[str, Answer]
    """The same, by somebody who may read an account that has no rows."""

    def answers(self, way: Way) -> list[Answer]:
        """What came over either protocol."""
        return [of[way.name] for of in (self.web, self.native) if way.name in of]


@pytest.fixture(scope="module")
def attack(stack, log_in) -> Iterator[Attack]:
    mine, other = aim(), aim()
    somebody = log_in("analyst", aim().account, wait=False)
    attacker = log_in("analyst", mine.account)
    web, native, elsewhere = Web(attacker), Native(attacker), Web(somebody)
    with connect(ClickHouse.from_url(stack.clickhouse)) as admin:
        fill(admin, mine)
        before = {way.name: web.ask(way.aimed(other)) for way in WAYS}
        fill(admin, other)
        found = kept(admin, other)
    yield Attack(
        mine,
        other,
        found,
        web={way.name: web.ask(way.aimed(other)) for way in WAYS},
        native={way.name: native.ask(way.aimed(other)) for way in POINTED},
        before=before,
        own={way.name: web.ask(way.aimed(mine)) for way in WAYS if way.fate is Fate.FILTERED},
        nothing={way.name: elsewhere.ask(way.aimed(mine)) for way in WAYS if way.fate is Fate.FILTERED},
    )
    for connection in (web, native, elsewhere):
        connection.close()


def test_the_ways_are_many_and_differ():
    assert len({way.name for way in WAYS}) == len({way.sql for way in WAYS}) == len(WAYS) >= 200


def test_there_is_something_to_steal_in_every_table_and_view(attack):
    assert [table for table, rows in attack.kept.items() if attack.other.account not in rows] == []
    marked = {table for table, rows in attack.kept.items() if attack.other.mark in rows}
    assert set(attack.kept) - marked == {"sync_status"}


def test_nothing_of_another_account_is_in_an_answer_or_an_error(attack):
    found = {
        way.name: answer.text[:SHOWN]
        for way in WAYS
        for answer in attack.answers(way)
        if leaks(answer.text, way.aimed(attack.other), attack.other)
    }
    assert found == {}


def test_an_answer_is_the_same_before_another_account_has_rows_and_after(attack):
    changed = {
        way.name: (attack.before[way.name].text[:SHOWN], attack.web[way.name].text[:SHOWN])
        for way in WAYS
        if way.steady and attack.before[way.name].lines != attack.web[way.name].lines
    }
    assert changed == {}


def test_the_same_ways_show_ones_own_rows(attack):
    blind = {
        way.name: attack.own[way.name].text[:SHOWN]
        for way in WAYS
        if way.fate is Fate.FILTERED and attack.own[way.name].lines == attack.nothing[way.name].lines
    }
    assert blind == {}


def test_what_no_reader_may_do_is_refused_for_want_of_a_right(attack):
    allowed = {
        way.name: answer.text[:SHOWN]
        for way in WAYS
        for answer in attack.answers(way)
        if way.fate is Fate.REFUSED and answer.code not in _REFUSALS
    }
    assert allowed == {}
