from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_exporter.timeframe import Timeframe, read_moment
from audit_schemas.errors import Invalid

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)  # 23:30 in Berlin


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", NOW),
        ("7d", NOW - timedelta(days=7)),
        ("24h", NOW - timedelta(hours=24)),
        ("90m", NOW - timedelta(minutes=90)),
        ("30s", NOW - timedelta(seconds=30)),
        ("2w", NOW - timedelta(weeks=2)),
        ("today", datetime(2026, 11, 22, 23, tzinfo=UTC)),
        ("Yesterday", datetime(2026, 11, 21, 23, tzinfo=UTC)),
        ("tomorrow", datetime(2026, 11, 23, 23, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 6, 30, 22, tzinfo=UTC)),
        ("2026-07", datetime(2026, 6, 30, 22, tzinfo=UTC)),
        ("2026-11-23 14:30", datetime(2026, 11, 23, 13, 30, tzinfo=UTC)),
        ("2026-11-23T14:30:00Z", datetime(2026, 11, 23, 14, 30, tzinfo=UTC)),
        ("2026-11-23T14:30:00.123456+05:30", datetime(2026, 11, 23, 9, 0, 0, 123456, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_in_the_viewers_zone(text, moment):
    assert read_moment(text, now=NOW, zone=BERLIN) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "7y",
        "d",
        "-7d",
        "999999999w",
        "2026-13-01",
        "2026-02-30",
        "1969-12-31",
        "2301-01-01",
        "\u0667d",
    ],
)
def test_what_is_no_time_is_refused_with_the_forms_that_are(text):
    with pytest.raises(Invalid):
        read_moment(text, now=NOW, zone=BERLIN)


@given(st.text())
def test_any_text_is_read_or_refused(text):
    try:
        moment = read_moment(text, now=NOW, zone=BERLIN)
    except Invalid:
        return
    assert moment.utcoffset() == timedelta(0)


def test_a_timeframe_that_ends_before_it_begins_is_refused():
    with pytest.raises(Invalid, match="not before"):
        Timeframe.read("today", "yesterday", now=NOW, zone=BERLIN)
    with pytest.raises(Invalid, match="not before"):
        Timeframe.read("today", "today", now=NOW, zone=BERLIN)
