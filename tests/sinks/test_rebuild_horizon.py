from datetime import UTC, datetime, timedelta

import pytest

from audit_sinks.batches import Place
from audit_sinks.rebuilding.horizon import complete_from

A, B, C = (Place("audit.events.v1", number) for number in range(3))
EARLY, LATE = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 2, 12, tzinfo=UTC)
FAR = datetime(2200, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("lows", "first", "expected"),
    [
        pytest.param({A: 0, B: 0}, {A: LATE, B: EARLY}, EARLY, id="whole partitions"),
        pytest.param({A: 0, B: 0}, {A: LATE}, LATE, id="whole, one empty"),
        pytest.param({A: 7, B: 9}, {A: EARLY, B: LATE}, LATE + HOUR, id="both trimmed: the later one"),
        pytest.param(
            {A: 7, B: 0}, {A: EARLY, B: LATE}, EARLY + HOUR, id="one trimmed, one younger and whole"
        ),
        pytest.param({A: 7, B: 9, C: 0}, {A: EARLY, C: EARLY}, FAR, id="trimmed to nothing"),
        pytest.param({A: 0, B: 0}, {}, FAR, id="made anew, and empty"),
    ],
)
def test_a_row_is_asked_of_kafka_only_where_kafka_must_have_it(
    lows: dict[Place, int], first: dict[Place, datetime], expected: datetime
) -> None:
    assert complete_from(dict(lows), dict(first)) == expected
