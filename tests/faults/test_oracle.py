"""The oracle itself: it is content with what is right, and names each thing that is not."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from .oracle import (
    Batch,
    Logged,
    Received,
    Shown,
    Source,
    Span,
    changes_of,
    faults_of_activity,
    faults_of_batches,
    faults_of_dead_letters,
    faults_of_log,
)

WINDOW, LATER = Span(100, 105), Span(105, 110)
FIRST = Received(UUID(int=1), Source(0, 7), 101_000, "acme", "maria", is_live=True)
SECOND = Received(UUID(int=2), Source(0, 9), 104_999, "acme", "maria", is_live=True)
RESENT = replace(FIRST, source=Source(0, 11), appended_ms=105_000)
OLD = Received(UUID(int=3), Source(0, 12), 105_100, "acme", "maria", is_live=False)
ROLE = Received(UUID(int=4), Source(0, 13), 105_200, "acme", None, is_live=True)
RECEIVED = [FIRST, SECOND, RESENT, OLD, ROLE]
ROWS = [
    Shown(UUID(int=1), "acme", "maria", WINDOW, 105_100),
    Shown(UUID(int=2), "acme", "maria", WINDOW, 105_100),
    Shown(UUID(int=3), "acme", "maria", None, 105_150),
]
BOTH = Batch(
    UUID(int=91),
    "acme",
    "maria",
    WINDOW,
    105_050,
    ((FIRST.id, FIRST.source), (SECOND.id, SECOND.source), (FIRST.id, FIRST.source)),
)
ONE = Batch(UUID(int=92), "acme", "maria", LATER, 110_050, ((RESENT.id, RESENT.source),))
PAST = Batch(UUID(int=93), "acme", "maria", None, 105_101, ((OLD.id, OLD.source),))


def test_what_is_right_has_no_faults() -> None:
    assert faults_of_activity(changes_of(RECEIVED), ROWS, [5]) == {}
    assert faults_of_batches(RECEIVED, [BOTH, BOTH, ONE, PAST], [5]) == {}


@pytest.mark.parametrize(
    ("fault", "spoil"),
    [
        ("missing", lambda rows: rows[1:]),
        ("twice", lambda rows: [*rows, rows[0]]),
        ("never received", lambda rows: [*rows, replace(rows[0], id=ROLE.id)]),
        ("in another window", lambda rows: [replace(rows[0], span=LATER, synced_ms=110_000), *rows[1:]]),
        ("in another window", lambda rows: [*rows[:2], replace(rows[2], span=WINDOW)]),
        ("shown early", lambda rows: [replace(rows[0], synced_ms=104_999), *rows[1:]]),
        ("of another contact", lambda rows: [replace(rows[0], contact="jo"), *rows[1:]]),
    ],
)
def test_each_fault_of_the_view_is_named(fault: str, spoil: Callable[[list[Shown]], list[Shown]]) -> None:
    assert list(faults_of_activity(changes_of(RECEIVED), spoil(ROWS), [5])) == [fault]


@pytest.mark.parametrize(
    ("fault", "batches"),
    [
        ("batched in another window", [replace(BOTH, span=LATER, appended_ms=110_000)]),
        ("batched in another window", [replace(PAST, span=LATER, appended_ms=110_000)]),
        ("batched early", [replace(BOTH, appended_ms=104_999)]),
        ("batched with another contact", [replace(BOTH, account="globex")]),
        ("out of order", [replace(BOTH, events=BOTH.events[1::-1])]),
        ("one id, other content", [BOTH, replace(BOTH, events=BOTH.events[:1])]),
    ],
)
def test_each_fault_of_the_batches_is_named(fault: str, batches: list[Batch]) -> None:
    assert list(faults_of_batches(RECEIVED, batches, [5])) == [fault]


def test_after_another_length_each_change_is_still_in_one_window() -> None:
    other = replace(BOTH, id=UUID(int=94), span=Span(98, 105))
    assert faults_of_batches(RECEIVED, [other], [5, 7]) == {}
    assert list(faults_of_batches(RECEIVED, [BOTH, other], [5, 7])) == ["batched in two windows"]


def logged(number: int, sequence: int, offset: int, partition: int = 0) -> Logged:
    return Logged(
        UUID(int=number), "acme", ("contact", "maria"), "helpdesk-1", sequence, Source(partition, offset)
    )


LOG = [logged(1, 1, 7), logged(2, 3, 9), replace(logged(3, 2, 8), target=("contact", "jo"))]
IDS = {row.id for row in LOG}


def test_a_log_with_everything_once_and_in_order_has_no_faults() -> None:
    assert faults_of_log(IDS, LOG) == {}


@pytest.mark.parametrize(
    ("fault", "rows"),
    [
        ("acknowledged, not in the log", LOG[1:]),
        ("in the log, never published", [*LOG, logged(4, 4, 10)]),
        ("twice in the log", [*LOG, LOG[2]]),
        ("of one target, in two partitions", [LOG[0], replace(LOG[1], source=Source(1, 9)), LOG[2]]),
        ("of one target, out of order", [LOG[0], replace(LOG[1], source=Source(0, 6)), LOG[2]]),
    ],
)
def test_each_fault_of_the_log_is_named(fault: str, rows: list[Logged]) -> None:
    assert fault in faults_of_log(IDS, rows)


@pytest.mark.parametrize(
    ("fault", "letters"),
    [
        ("refused, not in the dead letters", []),
        ("dead letters of nothing that was refused", [Source(0, 7), Source(0, 8)]),
        ("dead letters of nothing that was refused", [Source(0, 7), None]),
        ("twice in the dead letters", [Source(0, 7), Source(0, 7)]),
    ],
)
def test_each_fault_of_the_dead_letters_is_named(fault: str, letters: list[Source | None]) -> None:
    assert faults_of_dead_letters([Source(0, 7)], [Source(0, 7)]) == {}
    assert list(faults_of_dead_letters([Source(0, 7)], letters)) == [fault]
