"""The table of sign-ins fits every terminal and cuts nothing off."""

import io
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len
from rich.console import Console

from audit_exporter.session_table import session_table

BERLIN = ZoneInfo("Europe/Berlin")
NAMES = (
    "Ada Lovelace",
    "Wolfeschlegelsteinhausenbergerdorff, Hubert",
    "محمد بن عبد الله الرشيد",
    "山田太郎" * 9,
)


def session(name, **more):
    began = datetime(2026, 11, 23, 7, 11, 43, tzinfo=UTC)
    return {
        "started_at": began,
        "ended_at": began + timedelta(hours=3, minutes=5),
        "duration_seconds": 11_100,
        "state": "ended",
        "outcome_reason": "",
        "actor_name": name,
        "actor_email": "",
        "actor_id": "7",
        "actor_type": "agent",
        "as_id": "",
        "as_name": "",
        "ip": "2001:db8:85a3:8d3:1319:8a2e:370:7348",
        "place": "Ciudad de México, Mexico",
        "address": "",
        "via": "web",
        "client": "Firefox 140 on Linux",
        "user_agent": "",
    } | more


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("name", NAMES)
def test_the_table_fits_and_shows_every_value(width, name):
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None, highlight=False)
    console.print(session_table([session(name)], BERLIN, width))
    lines = out.getvalue().splitlines()
    assert all(cell_len(line) <= width for line in lines)
    assert any("2026-11-23 08:11:43" in line for line in lines), "a time is not torn apart"
    shown = sorted(re.sub(r"\s+", "", out.getvalue()))
    for value in (name, "2001:db8:85a3:8d3:1319:8a2e:370:7348", "Ciudad de México, Mexico", "3 h 05 min"):
        for character in set(re.sub(r"\s+", "", value)):
            assert shown.count(character) >= value.count(character)
