"""What is known of a contact: its latest name, e-mail addresses and phone numbers, and those it once had."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from audit_schemas.catalogue import ContactFields

TARGET_NAME = ""
"""Stands for the target's name among the fields: no field is called so."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Some texts that one field of a contact held at some time."""

    field: str
    texts: tuple[str, ...]
    """None where the field was empty; several where it is a list."""
    hits: tuple[str, ...]
    """Those of them that were looked for."""
    age: int
    """Grows with time: of one field's facts the greatest is the latest."""


@dataclass(frozen=True, slots=True)
class Match:
    """A text that was looked for, and where it was found."""

    field: str
    value: str
    former: bool
    """Whether the contact has it no longer."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as its changes tell of it."""

    account_id: str
    contact_id: str
    name: str
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    last_change_at: datetime
    deleted: bool
    matched: tuple[Match, ...]

    @property
    def has_match_now(self) -> bool:
        """Whether what was looked for is its own today."""
        return not self.deleted and any(not match.former for match in self.matched)


def known(
    account_id: str,
    contact_id: str,
    facts: Sequence[Fact],
    fields: ContactFields,
    *,
    last_change_at: datetime,
    deleted: bool,
) -> Contact:
    """Put a contact together from all facts about it."""
    latest = _latest(facts)
    name = _name(latest, fields)
    return Contact(
        account_id=account_id,
        contact_id=contact_id,
        name=name,
        emails=_texts(latest, fields.email),
        phones=_texts(latest, fields.phone),
        last_change_at=last_change_at,
        deleted=deleted,
        matched=tuple(_matches(facts, latest, name, fields.name[0])),
    )


def base(field: str) -> str:
    """The first part of a field's path: `emails` of `emails.work`."""
    return field.partition(".")[0]


def _latest(facts: Iterable[Fact]) -> dict[str, Fact]:
    return {fact.field: fact for fact in sorted(facts, key=lambda fact: fact.age)}


def _name(latest: Mapping[str, Fact], fields: ContactFields) -> str:
    """The newer of the target's name and the whole name; without either the parts of a name."""
    whole = [
        latest[field] for field in (TARGET_NAME, fields.name[0]) if field in latest and latest[field].texts
    ]
    if whole:
        return " ".join(max(whole, key=lambda fact: fact.age).texts)
    return " ".join(_texts(latest, fields.name))


def _texts(latest: Mapping[str, Fact], bases: Collection[str]) -> tuple[str, ...]:
    """The latest texts of some fields, in the fields' order, each once."""
    of_base: dict[str, list[str]] = {name: [] for name in bases}
    for field in sorted(latest):
        of_base.get(base(field), []).extend(latest[field].texts)
    return tuple(dict.fromkeys(text for texts in of_base.values() for text in texts))


def _matches(facts: Iterable[Fact], latest: Mapping[str, Fact], name: str, whole: str) -> Iterator[Match]:
    """What was found, each text of a field once: present ones first, then the newest."""
    found: dict[tuple[str, str], bool] = {}
    for fact in sorted(facts, key=lambda fact: -fact.age):
        for hit in fact.hits:
            field = fact.field or whole
            now = (name,) if field == whole else latest[fact.field].texts
            found.setdefault((field, hit), hit not in now)
    ordered = sorted(found.items(), key=lambda item: item[1])
    return (Match(field, value, former) for (field, value), former in ordered)
