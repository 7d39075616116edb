"""Keys of several parts are never ambiguous."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_schemas.directory import actor_key, read_actor_key
from audit_schemas.keys import joined, split

PARTS = st.lists(st.text(st.sampled_from("a/%2F5")), min_size=2, max_size=3)


@given(PARTS)
def test_a_key_says_its_parts(parts: list[str]) -> None:
    assert split(joined(*parts), len(parts)) == parts


def test_a_slash_in_an_account_is_not_the_slash_before_the_actor() -> None:
    assert actor_key("acme", "eu/7") != actor_key("acme/eu", "7")
    assert read_actor_key(actor_key("acme/eu", "7")) == ("acme/eu", "7")


def test_an_everyday_key_reads_as_it_is() -> None:
    assert joined("acme", "contact", "42") == b"acme/contact/42"


def test_what_is_no_actors_key_is_refused() -> None:
    with pytest.raises(ValueError, match="unpack"):
        read_actor_key(b"acme")
