import dataclasses
import re

import pytest
from pydantic import BaseModel

from audit_schemas.contact_batch import ContactBatch
from audit_schemas.dead_letter import DeadLetter
from audit_schemas.directory import Account, DirectoryActor
from audit_schemas.enriched import EnrichedChange, EnrichedEvent, EnrichedOrigin
from audit_schemas.mark import Mark
from audit_schemas.producer_record import ProducerRecord
from audit_schemas.topics import TOPICS
from audit_sinks import event_feeds, tables
from audit_sinks.feed import Feed
from audit_sinks.migrations import load


def top_names(structure: str) -> set[str]:
    """The names at the top level of a tuple's type."""
    while (flat := re.sub(r"\([^()]*\)", "", structure)) != structure:
        structure = flat
    return {part.split()[0] for part in structure.split(",")}


def test_every_field_of_an_enriched_event_is_read() -> None:
    assert top_names(event_feeds.EVENTS.structure) == {
        field.name for field in dataclasses.fields(EnrichedEvent)
    }


@pytest.mark.parametrize(("name", "cls"), [("origin", EnrichedOrigin), ("changes", EnrichedChange)])
def test_every_field_of_an_enriched_events_parts_is_read(name: str, cls: type) -> None:
    match = re.search(rf"\b{name} (?:Array\()?Tuple\(([^()]*)\)", event_feeds.EVENTS.structure)
    assert match is not None
    assert top_names(match[1]) == {field.name for field in dataclasses.fields(cls)}


@pytest.mark.parametrize(
    ("feed", "model"),
    [
        (tables.ACCOUNTS, Account),
        (tables.ACTORS, DirectoryActor),
        (tables.DEAD_LETTERS, DeadLetter),
        (tables.PRODUCER_RECORDS, ProducerRecord),
        (tables.MARKS, Mark),
    ],
)
def test_every_field_of_a_model_is_read(feed: Feed, model: type[BaseModel]) -> None:
    assert top_names(feed.structure) == set(model.model_fields)


ALL = [*(feed for feeds in tables.FEEDS.values() for feed in feeds), tables.MARKS]
UNSTORED = {"partition_marks": {"mark"}}
"""Fields that only say how to read the others."""


@pytest.mark.parametrize("feed", ALL, ids=lambda feed: feed.table)
def test_every_column_exists_and_every_field_is_stored(feed: Feed) -> None:
    sql = "".join(migration.template for migration in load())
    assert f".{feed.table} $" in sql
    expressions = " ".join([feed.rows, *feed.columns.values()])
    stored = top_names(feed.structure) - UNSTORED.get(feed.table, set())
    assert all(re.search(rf"\b(m|message)\.{name}\b", expressions) for name in stored)


def test_every_feed_reads_a_topic_that_exists() -> None:
    assert set(tables.FEEDS) <= set(TOPICS)
    assert all(feed.topic == topic for topic, feeds in tables.FEEDS.items() for feed in feeds)


def test_every_topic_that_is_read_fills_a_table() -> None:
    assert all(tables.FEEDS.values())


def test_every_field_of_a_contact_batch_is_read() -> None:
    """Fields that only a newer version has come beside them, in `extra`."""
    known = {field.name for field in dataclasses.fields(ContactBatch)}
    assert top_names(event_feeds.CONTACT_BATCHES.structure) == known | {"extra"}


def test_an_event_becomes_the_same_columns_in_the_log_and_in_the_activity() -> None:
    batch = event_feeds.CONTACT_EVENTS.columns
    assert {name: batch[name] for name in event_feeds.EVENTS.columns} == event_feeds.EVENTS.columns
    assert event_feeds.EVENTS.structure in event_feeds.CONTACT_EVENTS.structure
