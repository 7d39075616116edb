"""`audit import` without servers: dry run, rejects, state and signals."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from audit_producers.commands import import_history
from audit_producers.delivery import MemoryDelivery
from audit_producers.history import importing
from audit_schemas.errors import Incomplete, Unreachable

DATA = Path(__file__).parents[1] / "data" / "history"


def line(number: int, **given: Any) -> bytes:
    event = {
        "account": "acme",
        "action": "update",
        "target": {"type": "contact", "id": str(number)},
        "occurred_at": "2021-01-31T10:00:00Z",
    }
    return json.dumps({**event, **given}).encode() + b"\n"


@pytest.fixture
def delivered(monkeypatch: pytest.MonkeyPatch) -> MemoryDelivery:
    """What the command hands to its delivery."""
    delivery = MemoryDelivery()
    monkeypatch.setenv("AUDIT_DELIVERY", "memory")
    monkeypatch.setattr("audit_producers.commands.history.open_delivery", lambda *_: delivery)
    return delivery


def targets(delivery: MemoryDelivery) -> list[str]:
    return [json.loads(one.value)["target"]["id"] for one in delivery.records if one.is_event]


def run(file: Path, *options: str) -> Result:
    return CliRunner().invoke(import_history, [str(file), *options])


def dump(tmp_path: Path, *lines: bytes) -> Path:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"".join(lines))
    return file


def test_a_dry_run_tells_what_would_be_and_writes_nothing(tmp_path: Path, delivered: MemoryDelivery):
    result = run(
        dump(tmp_path, line(1), b"bad\n", line(2, occurred_at="1980-01-01T00:00:00Z")), "--dry-run", "--json"
    )

    told = json.loads(result.stdout)
    assert (told["read"], told["would_import"], told["would_reject"]) == (3, 1, 2)
    assert (told["accounts"], told["years"]) == ({"acme": 1}, {"2021": 1})
    assert told["actions"] == [
        {"module": "contacts", "target_type": "contact", "action": "update", "events": 1}
    ]
    assert [one["first_line"] for one in told["rejected"]] == [2, 3]
    assert told["first_events"][0]["recorded"] == "backfill"
    assert isinstance(result.exception, Incomplete)
    assert ([path.name for path in tmp_path.iterdir()], delivered.records) == (["events.jsonl"], [])


def test_a_dry_run_for_a_person(delivered: MemoryDelivery):
    result = run(DATA / "auditlog.csv", "--mapping", "django-auditlog", "--account", "acme", "--dry-run")

    assert result.stdout.startswith(
        "5 records: 5 would be imported, 0 rejected\nby account:\n  5  acme\nby year:\n"
    )
    assert "  2  contacts contact update" not in result.stdout
    assert "  1  contacts contact update" in result.stdout
    assert (result.exception, delivered.records) == (None, [])


def test_rejected_records_are_kept_with_line_reason_and_bytes(tmp_path: Path, delivered: MemoryDelivery):
    file = dump(tmp_path, line(1), b"b\xc3\xa4d\n", b"\xff\n", line(2))
    result = run(file, "--json")

    kept = tmp_path / "events.jsonl.rejected.jsonl"
    assert json.loads(result.stdout) == {
        "read": 4, "imported": 2, "rejected": 2, "is_done": True, "rejected_file": str(kept),
    }  # fmt: skip
    bad, bytes_ = map(json.loads, kept.read_text().splitlines())
    assert (bad["line"], bad["record"]) == (2, "bäd")
    assert "no JSON object" in bad["reason"]
    assert (bytes_["line"], bytes_["base64"]) == (3, "/w==")
    assert "line 3: " in result.stderr
    assert (result.exception.exit_code, targets(delivered)) == (3, ["1", "2"])
    assert not (tmp_path / "events.jsonl.import.json").exists()


def test_a_flood_of_rejected_records_is_told_in_part(tmp_path: Path, delivered: MemoryDelivery):
    result = run(dump(tmp_path, *[b"bad\n"] * 100))

    assert result.stderr.count("no JSON object") == 20
    assert result.stderr.endswith("… further ones are only kept\n")
    assert len((tmp_path / "events.jsonl.rejected.jsonl").read_bytes().splitlines()) == 100
    assert targets(delivered) == []


class Ending:
    """A delivery whose process is told to stop, or loses Kafka, after so many slices."""

    def __init__(self, slices: int, end: Any) -> None:
        self._slices = slices
        self._end = end

    def __call__(self, *_: object) -> int:
        self._slices -= 1
        if self._slices < 0:
            self._end()
        return 10


def stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def lose_kafka() -> None:
    raise Unreachable("Kafka is away")


@pytest.mark.parametrize("end", [stop, lose_kafka])
def test_it_goes_on_where_it_was_ended(
    tmp_path: Path, delivered: MemoryDelivery, monkeypatch: pytest.MonkeyPatch, end: Any
):
    file = dump(tmp_path, *(b"bad\n" if number % 20 == 5 else line(number) for number in range(95)))
    take = importing.Steady.next_slice
    ending = Ending(3, end)
    monkeypatch.setattr(importing.Steady, "next_slice", lambda self: take(self) and ending())
    ended = run(file)
    state = json.loads((tmp_path / "events.jsonl.import.json").read_text())
    monkeypatch.setattr(importing.Steady, "next_slice", lambda _: 10)
    result = run(file)

    assert "the same command goes on there" in ended.exception.remedy
    assert (state["records"] % 10, 0 < state["records"] < 95) == (0, True)
    assert f"going on after {state['records']} records" in result.stderr
    assert result.stdout == "95 read, 90 imported, 5 rejected\n"
    assert targets(delivered) == [str(number) for number in range(95) if number % 20 != 5]
    kept = (tmp_path / "events.jsonl.rejected.jsonl").read_text().splitlines()
    assert [json.loads(one)["line"] for one in kept] == [6, 26, 46, 66, 86]


def test_a_state_of_another_file_is_not_believed(tmp_path: Path, delivered: MemoryDelivery):
    file = dump(tmp_path, line(1), line(2))
    state = tmp_path / "events.jsonl.import.json"
    state.write_text('{"dump": "another", "records": 1, "imported": 1}')
    other = run(file)
    state.write_text("no state")
    broken = run(file)

    assert "is of another file, mapping, account or source" in other.stderr
    assert "is no state of an import" in broken.stderr
    assert targets(delivered) == ["1", "2", "1", "2"]


def test_the_input_is_never_overwritten(tmp_path: Path):
    file = dump(tmp_path, line(1))
    for option in ("--rejected", "--state"):
        assert run(file, option, str(file)).exit_code == 2
    assert file.read_bytes() == line(1)


def test_what_is_unclear_is_refused_before_anything_is_done():
    unmapped = run(DATA / "versions.csv")
    nameless = run(DATA / "versions.csv", "--mapping", "paper-trail")
    unknown = run(DATA / "versions.csv", "--mapping", "rails")

    assert "what its columns mean" in unmapped.exception.message
    assert "whose events" in nameless.exception.message
    assert "paper-trail" in unknown.exception.remedy
