import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from msgspec import Raw

from audit_producers.commands import publish
from audit_producers.errors import TooLarge
from audit_producers.ids import id_of_key
from audit_producers.publishing import Lines
from audit_schemas.errors import Incomplete, Invalid
from audit_schemas.wire import decode_event

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
EVENT: dict[str, Any] = {"account": "acme", "action": "update", "target": {"type": "contact", "id": "1"}}


def line(**fields: Any) -> bytes:
    return json.dumps({**EVENT, **fields}).encode()


def read(*lines: bytes) -> list[Any]:
    """The events of a file, as a consumer reads them."""
    reader = Lines("importer")
    return [decode_event(reader.event_of(one, NOON)[1])[0] for one in lines]


def run(tmp_path: Path, text: bytes, *options: str) -> Result:
    file = tmp_path / "events.jsonl"
    file.write_bytes(text)
    return CliRunner().invoke(publish, [str(file), *options])


def test_what_a_line_leaves_out_is_minted():
    [event] = read(line())

    assert event.occurred_at == NOON
    assert event.id.version == 7


def test_what_a_line_says_is_kept_to_the_digit():
    [event] = read(
        line(id="018f3a3a-7c00-7000-8000-000000000001", occurred_at="2026-01-31T10:00:00Z")[:-1]
        + b', "changes": [{"field": "n", "old": 1.10, "new": 12345678901234.1234567890}]}'
    )

    assert str(event.id) == "018f3a3a-7c00-7000-8000-000000000001"
    assert event.occurred_at == datetime(2026, 1, 31, 10, tzinfo=UTC)
    assert (event.changes[0].old, event.changes[0].new) == (Raw(b"1.10"), Raw(b"12345678901234.1234567890"))


def test_the_same_file_gives_the_same_ids_and_like_lines_stay_as_many():
    lines = [line(occurred_at="2026-01-31T10:00:00Z"), line(occurred_at="2026-01-31T10:00:01Z")]
    lines = [*lines, *lines, lines[0]]
    first, second = [event.id for event in read(*lines)], [event.id for event in read(*lines)]

    assert first == second
    assert len(set(first)) == 5
    assert {minted.version for minted in first} == {5}


def test_lines_without_a_time_happen_each_time_they_are_published():
    assert read(line())[0].id != read(line())[0].id


def test_an_idempotency_key_gives_the_id():
    [event] = read(line(idempotency_key="k", occurred_at="2026-01-31T10:00:00Z"))

    assert event.id == id_of_key("acme", "importer", "k")
    with pytest.raises(Invalid, match="needs occurred_at"):
        read(line(idempotency_key="k"))


def test_the_producer_of_an_earlier_publication_is_left_behind():
    [event] = read(line(producer={"service": "s", "instance": "i", "sequence": 7}, outcome="failure"))

    assert event.producer is None
    assert event.outcome == "failure"


BAD = {
    b"no json": "JSON",
    b"[]": "event",
    b"\xff\xfe": "event",
    line(account=None): "account",
    line(account=5): "account",
    line(changes={}): "changes",
    line(occurred_at="2026-01-31T10:00:00"): "occurred_at",
    line(occurred_at="soon"): "occurred_at",
    line(colour="red"): "colour",
    line(metadata=[]): "metadata",
    line(target={"type": "contact", "id": ""}): "target.id",
    line(reason="\ud800"): "JSON",
    line(metadata={"x": float("nan")}): "JSON",
}


@pytest.mark.parametrize(("text", "fault"), BAD.items(), ids=range(len(BAD)))
def test_a_bad_line_is_explained(text: bytes, fault: str):
    with pytest.raises(Invalid, match=fault):
        read(text)


def test_an_event_of_2_mb_is_refused_with_its_size():
    with pytest.raises(TooLarge, match="has 2,000,095 bytes"):
        read(line(reason="x" * 2_000_000))


@pytest.mark.parametrize(
    "fields",
    [
        {"module": "no such module"},
        {"occurred_at": "1970-01-01T00:00:00Z"},
        {"occurred_at": "2199-01-01T00:00:00Z"},
        {"origin": {"address": "ec2.amazonaws.com"}},
        {"origin": {"address": "[2001:db8::1]:443"}},
        {"changes": [{"field": "f", "old": 1, "new": 2}] * 10_000},
        {"changes": [{"field": "f"}, {"field": "f", "old": None, "new": ""}]},
    ],
)
def test_what_only_looks_odd_is_published_as_it_is(fields: dict[str, Any]):
    [event] = read(line(**fields))

    assert event.account == "acme"


def test_a_dry_run_checks_every_line_and_writes_nothing(tmp_path: Path):
    result = run(tmp_path, b"\xef\xbb\xbf" + line() + b"\r\n\n" + b"bad\n" + line(), "--dry-run", "--json")

    assert json.loads(result.stdout) == {"read": 3, "published": 0, "rejected": 1, "rejected_file": None}
    assert "line 3: " in result.stderr
    assert isinstance(result.exception, Incomplete)
    assert [path.name for path in tmp_path.iterdir()] == ["events.jsonl"]


def test_bad_lines_are_kept_as_they_came(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AUDIT_DELIVERY", "memory")
    result = run(tmp_path, b"bad\n" + line() + b"\n\xff\xfe", "--json")

    kept = tmp_path / "events.jsonl.rejected.jsonl"
    assert json.loads(result.stdout) == {
        "read": 3, "published": 1, "rejected": 2, "rejected_file": str(kept),
    }  # fmt: skip
    assert kept.read_bytes() == b"bad\n\xff\xfe\n"


def test_the_input_is_never_overwritten_by_what_is_rejected(tmp_path: Path):
    result = run(tmp_path, b"bad\n", "--rejected", str(tmp_path / "events.jsonl"))

    assert result.exit_code == 2
    assert (tmp_path / "events.jsonl").read_bytes() == b"bad\n"


def test_the_console_shows_what_would_be_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AUDIT_DELIVERY", "console")
    result = run(tmp_path, line(occurred_at="2026-01-31T10:00:00Z", changes=[{"field": "phone", "new": "1"}]))

    assert '2026-01-31 10:00:00+0000 acme unknown update contact 1: phone absent -> "1"' in result.stderr
    assert result.stdout == "1 read, 1 published, 0 rejected\n"
