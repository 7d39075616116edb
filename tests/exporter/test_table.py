import io
import re
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from audit_exporter.columns import ACCOUNT, log_columns
from audit_exporter.table import log_table, moment
from audit_exporter.visible import visible
from audit_schemas.catalogue import catalogue

LOG = log_columns(catalogue())

BERLIN = ZoneInfo("Europe/Berlin")
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202etxt.exe\r\n\x00\u2028"


def rendered(width, columns=LOG, **values):
    event = {
        "event_id": UUID(int=7),
        "account_id": "acme",
        "outcome": "success",
        "shown_account": "acme",
        "shown_when": datetime(2026, 11, 23, 7, 11, 43, tzinfo=UTC),
        "shown_where": "203.0.113.7 (DE)",
        "shown_actor": "Ada Lovelace",
        "shown_action_type": "update",
        "shown_target": "Roles and Permissions",
        "shown_action": "Changed Primary phone number from +1 555 0100 to +1 555 0199",
    } | values
    out = io.StringIO()
    Console(file=out, width=width, color_system=None, highlight=False).print(
        log_table([event], columns, BERLIN, width)
    )
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("columns", [LOG, (ACCOUNT, *LOG)])
def test_the_table_fits_and_shows_every_value(width, columns):
    long = {"shown_actor": "山田太郎" * 12, "shown_where": "2001:db8:85a3:8d3:1319:8a2e:370:7348"}
    text = rendered(width, columns, **long)
    assert all(cell_len(line) <= width for line in text.splitlines())
    shown = re.sub(r"\s+", "", text)
    for heading in ("When", "Where", "Actor", "ActionType", "Target", "Action"):
        assert heading in shown
    assert "2026-11-2308:11:43" in shown
    assert shown.count("山") == 12


@pytest.mark.parametrize("width", [80, 120, 200])
def test_control_characters_never_reach_the_terminal(width):
    text = rendered(width, shown_action=HOSTILE, shown_actor=HOSTILE, shown_where=HOSTILE)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028]", text)
    assert "␛" in text


@given(st.text())
def test_visible_text_moves_no_cursor(text):
    assert not re.search(
        "[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f\ud800-\udfff]", visible(text)
    )


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_plain_text_is_shown_as_it_is(text):
    assert visible(text) == text


def test_the_hour_that_occurs_twice_is_unambiguous():
    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert moment(first, BERLIN) == "2026-10-25 02:30:00+0200"
    assert moment(second, BERLIN) == "2026-10-25 02:30:00+0100"
    assert moment(datetime(2026, 10, 25, 3, 30, tzinfo=UTC), BERLIN) == "2026-10-25 04:30:00"
