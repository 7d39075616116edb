"""Contacts put together from facts: what they are called now, and what was found of them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_exporter.contact_choice import chosen
from audit_exporter.contacts import TARGET_NAME, Contact, Fact, Match, known
from audit_schemas.catalogue import ContactFields
from audit_schemas.errors import Invalid

FIELDS = ContactFields(
    name=("name", "first_name", "last_name"), email=("email", "emails"), phone=("phone", "phones")
)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def contact(*facts: Fact, contact_id: str = "4711", deleted: bool = False) -> Contact:
    return known("acme", contact_id, facts, FIELDS, last_change_at=NOW, deleted=deleted)


def fact(age: int, field: str, *texts: str, hits: tuple[str, ...] = ()) -> Fact:
    return Fact(field, texts, hits, age)


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ([], ""),
        ([fact(1, TARGET_NAME, "Ada")], "Ada"),
        ([fact(1, TARGET_NAME, "Ada"), fact(2, "name", "Ada L.")], "Ada L."),
        ([fact(2, TARGET_NAME, "Ada L."), fact(1, "name", "Ada")], "Ada L."),
        ([fact(1, TARGET_NAME, "Ada"), fact(2, "name")], "Ada"),
        ([fact(1, TARGET_NAME, "Ada"), fact(2, "last_name", "King")], "Ada"),
        ([fact(1, "last_name", "Lovelace"), fact(2, "first_name", "Ada")], "Ada Lovelace"),
        (
            [fact(3, "last_name", "King"), fact(1, "last_name", "Byron"), fact(2, "first_name", "Ada")],
            "Ada King",
        ),
    ],
)
def test_the_newest_whole_name_is_shown_else_its_parts_in_their_order(facts, name):
    assert contact(*facts).name == name


def test_several_addresses_are_shown_each_once_and_a_cleared_one_not():
    found = contact(
        fact(1, "emails.work", "a@x"),
        fact(2, "emails", "b@x", "a@x"),
        fact(3, "email", "main@x"),
        fact(4, "phones.0", "+1"),
        fact(5, "phones.0"),
        fact(6, "note", "c@x"),
    )
    assert found.emails == ("main@x", "b@x", "a@x")
    assert found.phones == ()


def test_a_match_is_former_unless_its_field_holds_it_now_and_present_ones_come_first():
    found = contact(
        fact(1, "phone", "+1 0100", hits=("+1 0100",)),
        fact(2, "phone", "+1 0199", hits=("+1 0199",)),
        fact(3, "emails", "a@x", "b@x", hits=("b@x",)),
        fact(4, "emails", "a@x"),
        fact(5, "phones", "+1 0100", hits=("+1 0100",)),
    )
    assert found.matched == (
        Match("phones", "+1 0100", former=False),
        Match("phone", "+1 0199", former=False),
        Match("emails", "b@x", former=True),
        Match("phone", "+1 0100", former=True),
    )


def test_a_targets_name_that_is_no_longer_shown_is_a_former_name():
    found = contact(fact(1, TARGET_NAME, "Ada", hits=("Ada",)), fact(2, "name", "Grace"))
    assert (found.name, found.matched) == ("Grace", (Match("name", "Ada", former=True),))


@given(st.permutations([fact(age, "phone", str(age), hits=(str(age),)) for age in range(5)]))
def test_the_order_in_which_facts_come_does_not_matter(facts):
    found = contact(*facts)
    assert found.phones == ("4",)
    assert [match.value for match in found.matched] == ["4", "3", "2", "1", "0"]


def holder(contact_id: str, *, now: bool, deleted: bool = False) -> Contact:
    had = fact(1, "email", "a@x", hits=("a@x",))
    return contact(had, *(() if now else (fact(2, "email", "b@x"),)), contact_id=contact_id, deleted=deleted)


@pytest.mark.parametrize(
    ("contacts", "wanted"),
    [
        ([holder("1", now=True)], "1"),
        ([holder("1", now=False)], "1"),
        ([holder("1", now=False), holder("2", now=True), holder("3", now=False)], "2"),
        ([holder("1", now=True, deleted=True), holder("2", now=True)], "2"),
        ([holder("1", now=True, deleted=True)], "1"),
    ],
)
def test_an_address_is_its_present_holders_and_else_its_only_former_ones(contacts, wanted):
    assert chosen("a@x", contacts).contact_id == wanted


@pytest.mark.parametrize(("now", "verb"), [(True, "have"), (False, "had")])
def test_an_address_of_several_lists_them(now, verb):
    with pytest.raises(Invalid, match=f"2 contacts {verb} the e-mail address 'a@x': 1 .*, 2 "):
        chosen("a@x", [holder("1", now=now), holder("2", now=now)])


def test_a_long_list_of_holders_is_cut():
    with pytest.raises(Invalid, match=r"12 contacts have .*, 2 more$"):
        chosen("a@x", [holder(str(number), now=True) for number in range(12)])
