"""The published JSON Schemas are current, right, and only change compatibly."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from documents import EVENT
from hypothesis import given

from audit_schemas import published_schemas
from audit_schemas.commands import schema as schema_command
from audit_schemas.errors import AuditError
from audit_schemas.published_schemas import MESSAGES, breaks, published, schema_of
from audit_schemas.validation import read_draft

EVENT_SCHEMA = schema_of("event")


@pytest.mark.parametrize("name", MESSAGES)
def test_the_published_schema_is_the_definition(name: str) -> None:
    assert published(name) == json.loads(json.dumps(schema_of(name)))


@pytest.mark.parametrize("name", MESSAGES)
def test_a_published_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of(name))


@given(EVENT)
def test_what_is_accepted_fits_the_published_schema(document: dict[str, object]) -> None:
    try:
        read_draft(json.dumps(document).encode())
    except AuditError:
        return
    jsonschema.validate(document, EVENT_SCHEMA)


def _changed(change: Callable[[dict[str, Any]], object]) -> list[str]:
    new = copy.deepcopy(EVENT_SCHEMA)
    change(new)
    return breaks(EVENT_SCHEMA, new)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda new: new["properties"].pop("reason"), "reason: is gone"),
        (lambda new: new["$defs"]["Target"]["properties"].pop("url"), "target.url: is gone"),
        (lambda new: new["required"].append("reason"), "reason: became required"),
        (lambda new: new["properties"].update(reason={"type": "string"}), "reason: no longer null"),
        (lambda new: new["properties"].update(related={"type": "object"}), "related: no longer array"),
        (lambda new: new["properties"]["account"].update(maxLength=10), "account: maxLength is stricter"),
        (lambda new: new["properties"]["account"].update(minLength=2), "account: minLength is stricter"),
        (lambda new: new["properties"]["action"].update(pattern="^x"), "action: the pattern is another"),
        (
            lambda new: new["properties"]["outcome"].update(enum=["success"]),
            "outcome: lost a permitted value",
        ),
        (
            lambda new: new["$defs"]["Change"]["properties"].pop("label"),
            "changes[].label: is gone",
        ),
    ],
)
def test_a_change_that_breaks_readers_or_writers_is_named(
    change: Callable[[dict[str, Any]], object], found: str
) -> None:
    assert found in _changed(change)


@pytest.mark.parametrize(
    "change",
    [
        lambda new: new["properties"].update(ticket={"type": "string"}),
        lambda new: new["required"].remove("target"),
        lambda new: new["properties"]["account"].update(maxLength=1000),
        lambda new: new["properties"]["outcome"]["enum"].append("partial"),
        lambda new: new["properties"]["account"].update(description="other words"),
    ],
)
def test_a_compatible_change_breaks_nothing(change: Callable[[dict[str, Any]], object]) -> None:
    assert _changed(change) == []


def test_publishing_an_incompatible_change_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = copy.deepcopy(EVENT_SCHEMA)
    old["properties"]["ticket"] = {"type": "string"}
    (tmp_path / "event.json").write_text(json.dumps(old))
    monkeypatch.setattr(published_schemas, "folder", lambda: tmp_path)

    result = CliRunner().invoke(schema_command, ["publish"])

    assert isinstance(result.exception, AuditError)
    assert "ticket: is gone" in result.exception.message
