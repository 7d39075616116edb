"""Finding contacts by what they are or were called, in what an account's activity shows of them."""

# ruff: noqa: S608 - only placeholders and this module's own constants are put together here; values are bound

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Protocol

from audit_exporter.clickhouse import Connection
from audit_exporter.contacts import TARGET_NAME, Contact, Fact, known
from audit_exporter.filters import Filter
from audit_exporter.parameters import Binder, Query
from audit_exporter.query import assert_accounts
from audit_schemas.catalogue import ContactFields

_PHONE = re.compile(r"[\d+().\-/ ]+", re.ASCII)
_DIGITS = 5
"""Fewer digits than that say nothing of a phone number."""
_COLUMNS = "account_id, target_id AS contact_id, occurred_at, event_id, action_type, target_name, changes"
_NO_TEXT = "'', 'null', 'true', 'false', '\"\"', '[]', '{}'"


class Wanted(Protocol):
    """What is looked for."""

    def condition(self, bind: Binder, field: str, text: str) -> str:
        """The condition in SQL on the expressions for a field's path and for one of its texts."""


@dataclass(frozen=True, slots=True)
class Anything:
    """A text within a name, an e-mail address or a phone number, in any letter case."""

    text: str
    phones: tuple[str, ...]
    """The fields that hold phone numbers."""

    def condition(self, bind: Binder, field: str, text: str) -> str:
        """Phone numbers are compared by their digits too, where the text looks like one."""
        within = f"positionCaseInsensitiveUTF8({text}, {bind.text(self.text)}) > 0"
        digits = re.sub(r"\D", "", self.text, flags=re.ASCII)
        if len(digits) < _DIGITS or not _PHONE.fullmatch(self.text):
            return within
        number = f"position(replaceRegexpAll({text}, '[^0-9]', ''), {bind.text(digits)}) > 0"
        return f"({within} OR ({_base(field)} IN {bind.texts(self.phones)} AND {number}))"


@dataclass(frozen=True, slots=True)
class Email:
    """A whole e-mail address, in any letter case."""

    address: str
    emails: tuple[str, ...]
    """The fields that hold addresses: a name may look like one."""

    def condition(self, bind: Binder, field: str, text: str) -> str:
        """The same address in such a field."""
        same = f"lowerUTF8({text}) = lowerUTF8({bind.text(self.address)})"
        return f"({_base(field)} IN {bind.texts(self.emails)} AND {same})"


@dataclass(frozen=True, slots=True)
class Search:
    """A search among the contacts of an account."""

    scope: Filter
    wanted: Wanted
    fields: ContactFields
    """Those that say who a contact is."""
    pending: bool = False
    """Look into changes as well that are not in the activity yet."""

    def candidates(self, limit: int) -> Query:
        """The contacts that fit, those that changed last first."""
        bind = Binder()
        source, facts = self._source(bind), self._facts(bind)
        hit = self.wanted.condition(bind, "fact.1", "text")
        return Query(
            "SELECT account_id, contact_id, max(occurred_at) AS last_change_at, "
            "argMax(action_type, (occurred_at, event_id)) = 'delete' AS deleted "
            f"FROM {source} GROUP BY account_id, contact_id "
            f"HAVING max(arrayExists(fact -> arrayExists(text -> {hit}, fact.3), {facts})) "
            f"ORDER BY last_change_at DESC, contact_id LIMIT {bind.number(limit)}",
            bind.parameters,
        )

    def facts(self, contacts: tuple[str, ...]) -> Query:
        """Each set of texts that a field of these contacts ever held, with the last time that it did."""
        bind = Binder()
        source, facts = self._source(bind, contacts), self._facts(bind)
        hit = self.wanted.condition(bind, "field", "text")
        return Query(
            f"SELECT account_id, contact_id, field, texts, arrayFilter(text -> {hit}, texts) AS hits, "
            "row_number() OVER (PARTITION BY account_id, contact_id ORDER BY seen) AS age FROM ("
            "SELECT account_id, contact_id, fact.1 AS field, fact.3 AS texts, "
            "max((occurred_at, event_id, fact.2)) AS seen FROM ("
            f"SELECT account_id, contact_id, occurred_at, event_id, arrayJoin({facts}) AS fact FROM {source}"
            ") GROUP BY account_id, contact_id, field, texts)",
            bind.parameters,
        )

    def _source(self, bind: Binder, contacts: tuple[str, ...] = ()) -> str:
        """What came true of the account's contacts: a change that failed says nothing of one."""
        conditions = [*self.scope.conditions(bind), "outcome = 'success'"]
        if contacts:
            conditions.append(f"target_id IN {bind.texts(contacts)}")
        where = " AND ".join(conditions)
        rows = f"SELECT {_COLUMNS} FROM contact_activity WHERE {where}"
        if self.pending:
            rows += f" UNION ALL SELECT {_COLUMNS} FROM audit_log WHERE {where} AND window_start IS NOT NULL"
        return f"({rows})"

    def _facts(self, bind: Binder) -> str:
        """An event's facts as (field, place, texts) each: its new values are later than its old ones."""
        named = bind.texts((*self.fields.name, *self.fields.email, *self.fields.phone))
        ours = f"arrayFilter(c -> {_base('c.field')} IN {named} AND (c.old != '' OR c.new != ''), changes)"
        old = f"(c.field, toInt64(2 * n - 1), {_texts('c.old')})"
        new = f"(c.field, toInt64(2 * n), {_texts('c.new')})"
        return (
            f"arrayConcat(arrayFilter(f -> f.3 != [''], [('{TARGET_NAME}', toInt64(0), [target_name])]), "
            f"arrayFlatten(arrayMap((c, n) -> [{old}, {new}], {ours} AS ours, arrayEnumerate(ours))))"
        )


def find(connection: Connection, search: Search, limit: int) -> list[Contact]:
    """The contacts that are or were called so, those that changed last first, at most `limit`.

    Reads the whole activity of the account: the time grows with it.
    """
    candidates = connection.read(search.candidates(limit))
    assert_accounts(search.scope, {row["account_id"] for row in candidates.dicts()})
    ids = tuple(row["contact_id"] for row in candidates.dicts())
    facts = _facts(connection, search, ids) if ids else {}
    return [
        known(
            row["account_id"],
            row["contact_id"],
            facts[row["contact_id"]],
            search.fields,
            last_change_at=row["last_change_at"],
            deleted=bool(row["deleted"]),
        )
        for row in candidates.dicts()
    ]


def _facts(connection: Connection, search: Search, contacts: tuple[str, ...]) -> dict[str, list[Fact]]:
    table = connection.read(search.facts(contacts))
    assert_accounts(search.scope, {row["account_id"] for row in table.dicts()})
    found = defaultdict(list)
    for row in table.dicts():
        fact = Fact(row["field"], tuple(row["texts"]), tuple(row["hits"]), row["age"])
        found[row["contact_id"]].append(fact)
    return found


def _texts(json: str) -> str:
    """The texts in a value's JSON, in SQL: its own, or those of a list."""
    each = f"arrayMap(item -> {_unquoted('item')}, JSONExtractArrayRaw({json}))"
    return (
        f"multiIf({json} IN ({_NO_TEXT}), emptyArrayString(), startsWith({json}, '['), {each}, "
        f"[{_unquoted(json)}])"
    )


def _unquoted(json: str) -> str:
    return f"if(startsWith({json}, '\"'), JSONExtractString({json}), {json})"


def _base(field: str) -> str:
    return f"splitByChar('.', {field})[1]"
