"""Sign-ins as a table on a terminal of any width."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich import box
from rich.table import Table
from rich.text import Text

from audit_exporter.table import moment, text_of
from audit_exporter.visible import visible

_NARROW = 130
"""Below so many columns several values share a cell, one above the other."""
_MOMENT = 19
_STYLES = {"failed": "red", "open": "green", "unpaired": "yellow"}


def session_table(sessions: Iterable[Mapping[str, Any]], zone: ZoneInfo, width: int) -> Table:
    """A page of sessions.

    Args:
        sessions: rows of `sessions.sessions_query`.
        zone: in which moments are shown.
        width: of the terminal, in columns.
    """
    narrow = width < _NARROW
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False, header_style="bold", expand=True)
    headings = (
        ("Started\nEnded", "Duration\nState", "Who", "Where\nClient")
        if narrow
        else ("Started", "Ended", "Duration", "State", "Who", "Where", "Client")
    )
    for heading in headings:
        moment_wide = _MOMENT if heading.startswith(("Started", "Ended")) else None
        table.add_column(heading, width=moment_wide, overflow="fold")
    for session in sessions:
        table.add_row(*_cells(session, zone, narrow=narrow), style=_STYLES.get(session["state"]))
    return table


def _cells(session: Mapping[str, Any], zone: ZoneInfo, *, narrow: bool) -> list[Text]:
    started, ended = _moment(session["started_at"], zone), _moment(session["ended_at"], zone)
    lasted, state = duration(session["duration_seconds"]), state_words(session)
    who, where, client = (
        who_words(session),
        where_words(session),
        text_of(session["client"] or session["user_agent"]),
    )
    if narrow:
        return [_lines(started, ended), _lines(lasted, state), _lines(who), _lines(where, client)]
    return [_lines(text) for text in (started, ended, lasted, state, who, where, client)]


def _moment(value: datetime | None, zone: ZoneInfo) -> str:
    return "-" if value is None else moment(value, zone)


def duration(seconds: int | None) -> str:
    """A length of time in its two largest units: 3 d 4 h, 4 h 05 min, 12 min 30 s."""
    if seconds is None:
        return "-"
    days, hours = divmod(seconds // 3600, 24)
    minutes, rest = divmod(seconds % 3600, 60)
    if days:
        return f"{days:,} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def state_words(session: Mapping[str, Any]) -> str:
    """How a session stands, in words."""
    state = text_of(session["state"])
    if state == "failed" and session["outcome_reason"]:
        return f"failed: {text_of(session['outcome_reason'])}"
    if state == "unpaired":
        return (
            "its beginning is not in the log" if session["started_at"] is None else "its end cannot be told"
        )
    return state


def who_words(session: Mapping[str, Any]) -> str:
    """Who signed in, and as whom."""
    named = (session[name] for name in ("actor_name", "actor_email", "actor_id", "actor_type"))
    who = text_of(next(filter(None, named), ""))
    return f"{who} as {text_of(session['as_name'] or session['as_id'])}" if session["as_id"] else who


def where_words(session: Mapping[str, Any]) -> str:
    """From where: the address, and the place where one is known."""
    place, ip = text_of(session["place"]), text_of(session["ip"])
    return f"{ip} ({place})" if ip and place else ip or place or text_of(session["address"] or session["via"])


def _lines(*texts: str) -> Text:
    return Text("\n".join(visible(text) for text in texts if text))
