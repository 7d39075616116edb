"""The directory's records: what was given reaches the topic, and comes back as it was given."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit_producers.commands.directory import _merged
from audit_producers.directory import ActorFields, actor_record
from audit_producers.directory_files import rows
from audit_schemas.directory import DirectoryActor
from audit_schemas.errors import Invalid

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ACTIVITY = ("View Contact activity",)


def published(fields: ActorFields) -> DirectoryActor:
    """What a reader of the topic understands."""
    return DirectoryActor.model_validate_json(actor_record("acme", "7", fields, updated_at=NOW).value or b"")


@pytest.mark.parametrize(
    ("fields", "permissions"),
    [
        ({}, ACTIVITY),
        ({"type": "admin"}, ACTIVITY),
        ({"type": "contact"}, ()),
        ({"permissions": ()}, ()),
        ({"permissions": ACTIVITY, "type": "contact"}, ACTIVITY),
        ({"permissions": ("View Audit logs",)}, ("View Audit logs",)),
    ],
)
def test_permissions_reach_a_reader_as_they_were_given(
    fields: ActorFields, permissions: tuple[str, ...]
) -> None:
    assert published(fields).permissions == permissions


@pytest.mark.parametrize(
    ("present", "given", "permissions"),
    [
        ({"permissions": ()}, {"role": "Agent"}, ()),
        ({"permissions": ("View Audit logs",)}, {"role": "Agent"}, ("View Audit logs",)),
        ({}, {"role": "Agent"}, ACTIVITY),
        ({}, {"type": "contact"}, ()),
        ({"type": "contact"}, {"type": "agent"}, ACTIVITY),
        ({"permissions": ACTIVITY}, {"type": "contact"}, ACTIVITY),
        ({"permissions": ACTIVITY}, {"permissions": ()}, ()),
    ],
)
def test_what_a_command_leaves_out_stays_as_it_is(
    present: ActorFields, given: ActorFields, permissions: tuple[str, ...]
) -> None:
    asked = dict.fromkeys(ActorFields.__annotations__) | given
    assert published(_merged(published(present), asked)).permissions == permissions


def test_a_wrong_type_is_the_only_fault_that_is_told() -> None:
    with pytest.raises(Invalid) as refused:
        actor_record("acme", "7", {"type": "robot"}, updated_at=NOW)
    assert refused.value.message.startswith("type: ")
    assert "permissions" not in refused.value.message


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("", {"id": "7"}),
        ("none", {"id": "7", "permissions": ()}),
        ("View Audit logs; Other", {"id": "7", "permissions": ("View Audit logs", "Other")}),
    ],
)
def test_an_empty_cell_is_no_permissions_cell_and_none_is_an_empty_list(
    tmp_path: Path, cell: str, expected: dict[str, object]
) -> None:
    file = tmp_path / "agents.csv"
    file.write_text(f"id,permissions\n7,{cell}\n")
    assert list(rows(file)) == [(2, expected)]
