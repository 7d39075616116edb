from datetime import UTC, datetime, timedelta

import pytest

from audit_exporter.completeness import shortfall

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("through", "until"),
    [
        (NOW - timedelta(seconds=8), None),
        (NOW - timedelta(seconds=8), NOW + HOUR),
        (NOW - HOUR, NOW - HOUR),
    ],
    ids=[
        "marks come every few seconds",
        "the future is nobody's",
        "behind, and the timeframe was over before",
    ],
)
def test_nothing_is_said_where_nothing_can_be_missing(through, until):
    assert shortfall(through, until, NOW) is None


@pytest.mark.parametrize("until", [None, NOW - timedelta(minutes=30)], ids=["now", "past"])
def test_a_log_that_is_behind_the_timeframe_is_told(until):
    assert "complete through 2026-11-23 11:00:00Z only" in (shortfall(NOW - HOUR, until, NOW) or "")


def test_a_log_that_cannot_tell_is_told():
    assert "not known" in (shortfall(None, None, NOW) or "")
