"""What the directory adds to an actor, and what it must not touch."""

import json

import pytest
from pydantic import ValidationError

from audit_schemas.event import Actor, Principal
from audit_stream_processors.directory import Actors

RECORD = {
    "account": "acme",
    "id": "7",
    "name": "Ada",
    "email": "ada@acme.test",
    "updated_at": "2026-01-01T00:00:00Z",
}


@pytest.fixture
def actors() -> Actors:
    made = Actors()
    made.put(b"acme/7", json.dumps(RECORD).encode())
    return made


def test_an_actor_without_name_and_address_gets_both(actors: Actors) -> None:
    found = actors.complete("acme", Actor.agent("7"))
    assert (found.type, found.id, found.name, found.email) == ("agent", "7", "Ada", "ada@acme.test")


def test_what_the_event_says_stays(actors: Actors) -> None:
    behind = Principal(type="admin", id="1")
    told = Actor(type="integration", id="7", name="Zapier", on_behalf_of=behind)
    found = actors.complete("acme", told)
    assert ("integration", "Zapier", "ada@acme.test", behind) == (
        found.type,
        found.name,
        found.email,
        found.on_behalf_of,
    )


@pytest.mark.parametrize("other", [("other", "7"), ("acme", "8")])
def test_nobody_gets_another_ones_name(actors: Actors, other: tuple[str, str]) -> None:
    account, actor = other
    assert actors.complete(account, Actor.agent(actor)).name is None


def test_an_unknown_author_stays_unknown(actors: Actors) -> None:
    assert Actor() == actors.complete("acme", Actor())


def test_the_newest_record_counts_and_one_without_a_value_erases(actors: Actors) -> None:
    actors.put(b"acme/7", json.dumps({**RECORD, "name": "Ada L."}).encode())
    assert actors.complete("acme", Actor.agent("7")).name == "Ada L."
    actors.put(b"acme/7", None)
    assert (actors.complete("acme", Actor.agent("7")).name, len(actors)) == (None, 0)


@pytest.mark.parametrize("bad", [b"", b"{", b"[]", b'{"account":"acme"}'])
def test_a_record_that_is_no_actor_is_refused(actors: Actors, bad: bytes) -> None:
    with pytest.raises(ValidationError):
        actors.put(b"acme/7", bad)
    assert actors.complete("acme", Actor.agent("7")).name == "Ada"


def test_an_actor_of_another_account_never_completes_an_event_whatever_it_is_called() -> None:
    actors = Actors()
    actors.put(b"k", json.dumps({**RECORD, "id": "eu/7"}).encode())

    assert actors.complete("acme/eu", Actor(id="7")) == Actor(id="7")
