import dataclasses
import re

import pytest
from pydantic import BaseModel

from audit_schemas.dead_letter import DeadLetter
from audit_schemas.directory import Account, DirectoryActor
from audit_schemas.enriched import EnrichedChange, EnrichedEvent, EnrichedOrigin
from audit_schemas.producer_record import ProducerRecord
from audit_schemas.topics import TOPICS
from audit_sinks import tables
from audit_sinks.migrations import load


def top_names(structure: str) -> set[str]:
    """The names at the top level of a tuple's type."""
    while (flat := re.sub(r"\([^()]*\)", "", structure)) != structure:
        structure = flat
    return {part.split()[0] for part in structure.split(",")}


def test_every_field_of_an_enriched_event_is_read() -> None:
    assert top_names(tables.EVENTS.structure) == {field.name for field in dataclasses.fields(EnrichedEvent)}


@pytest.mark.parametrize(("name", "cls"), [("origin", EnrichedOrigin), ("changes", EnrichedChange)])
def test_every_field_of_an_enriched_events_parts_is_read(name: str, cls: type) -> None:
    match = re.search(rf"\b{name} (?:Array\()?Tuple\(([^()]*)\)", tables.EVENTS.structure)
    assert match is not None
    assert top_names(match[1]) == {field.name for field in dataclasses.fields(cls)}


@pytest.mark.parametrize(
    ("feed", "model"),
    [
        (tables.ACCOUNTS, Account),
        (tables.ACTORS, DirectoryActor),
        (tables.DEAD_LETTERS, DeadLetter),
        (tables.PRODUCER_RECORDS, ProducerRecord),
    ],
)
def test_every_field_of_a_model_is_read(feed: tables.Feed, model: type[BaseModel]) -> None:
    assert top_names(feed.structure) == set(model.model_fields)


@pytest.mark.parametrize("feed", tables.FEEDS.values(), ids=lambda feed: feed.table)
def test_every_column_exists_and_every_field_is_stored(feed: tables.Feed) -> None:
    sql = "".join(migration.template for migration in load())
    assert f".{feed.table} $" in sql
    expressions = " ".join(feed.columns.values())
    assert all(f"m.{name}" in expressions for name in top_names(feed.structure))


def test_every_feed_reads_a_topic_that_exists() -> None:
    assert set(tables.FEEDS) <= set(TOPICS)
