import re
from datetime import UTC, datetime
from ipaddress import ip_network
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_exporter.columns import choose, log_columns
from audit_exporter.contact_activity import activity_query
from audit_exporter.contact_search import Anything, Email, Search
from audit_exporter.facets import FACETS, facet_query
from audit_exporter.filters import Filter, TargetKey, read_module, read_network
from audit_exporter.folding import fold_query
from audit_exporter.query import Cursor, count_query, keys_query, render_query, rows_query
from audit_exporter.timeframe import Timeframe
from audit_exporter.undo_query import undo_query
from audit_schemas.catalogue import catalogue
from audit_schemas.errors import Invalid

LOG = log_columns(catalogue())

MARKED = st.text(max_size=20).map(lambda text: f"hostile{text}' OR 1=1 -- \\' {{p0:String}}")
MANY = st.lists(MARKED, max_size=2).map(tuple)
NOW = datetime(2026, 11, 23, tzinfo=UTC)
FIELDS = catalogue().contact


@given(
    st.builds(
        Filter,
        accounts=st.lists(MARKED, min_size=1, max_size=2).map(tuple),
        modules=MANY,
        actions=MANY,
        actors=MANY,
        targets=st.lists(st.builds(TargetKey, MARKED, MARKED), max_size=2).map(tuple),
        related=st.lists(st.builds(TargetKey, MARKED, MARKED), max_size=2).map(tuple),
        fields=MANY,
        sessions=MANY,
        requests=MANY,
        batches=MANY,
        words=MANY,
        outcome=st.none() | MARKED,
        network=st.none() | st.ip_addresses().map(ip_network),
        timeframe=st.just(Timeframe(NOW, NOW)),
    ),
    MARKED,
)
def test_no_value_is_ever_in_the_text_of_a_query(wanted, zone):
    queries = [
        keys_query(wanted, Cursor(NOW, uuid4()), 50),
        keys_query(wanted, None, 50),
        rows_query(wanted, LOG, [Cursor(NOW, uuid4())]),
        rows_query(wanted, None, [Cursor(NOW, uuid4())]),
        count_query(wanted),
        render_query(wanted, LOG, zone, "csv"),
        render_query(wanted, LOG, zone, "xlsx"),
        fold_query(wanted, ("hostile' OR 1=1 --",)),
        facet_query(wanted, tuple(FACETS), zone, 10),
        undo_query(wanted, uuid4()),
        activity_query(wanted, Cursor(NOW, uuid4()), 50, everything=False, pending=True),
        activity_query(wanted, None, 50, everything=True, pending=False),
        *(
            query
            for looked_for in (
                Anything(zone, FIELDS.phone),
                Anything("+1 555 0100", ("hostile",)),
                Email(zone, ()),
            )
            for search in (
                Search(wanted, looked_for, FIELDS),
                Search(wanted, looked_for, FIELDS, pending=True),
            )
            for query in (search.candidates(20), search.facts((zone, zone)))
        ),
    ]
    for query in queries:
        assert "hostile" not in query.sql
        placeholders = set(re.findall(r"\{(\w+):[\w()]+\}", query.sql))
        assert placeholders <= query.parameters.keys()
        tables = re.findall(r"FROM (?:audit_log|audit_events|audit_changes|contact_activity)\b", query.sql)
        assert len(re.findall(r"account_id (?:=|IN) \{p", query.sql)) == len(tables)


def test_a_filter_without_an_account_cannot_be_made():
    with pytest.raises(ValueError, match="account"):
        Filter(accounts=())


def test_a_target_may_have_slashes_in_its_id():
    assert TargetKey.read("file/a/b") == TargetKey("file", "a/b")


@pytest.mark.parametrize("text", ["contact", "contact/", "/4711", ""])
def test_half_a_target_is_refused(text):
    with pytest.raises(Invalid, match="no target"):
        TargetKey.read(text)


def test_a_network_may_be_one_address_or_have_further_bits():
    assert str(read_network("203.0.113.7")) == "203.0.113.7/32"
    assert str(read_network("10.1.2.3/8")) == "10.0.0.0/8"
    with pytest.raises(Invalid):
        read_network("10.0.0.0/33")


def test_a_module_is_known_by_its_key_and_its_title():
    titles = {**catalogue().modules, **catalogue().fallback}
    for key, title in titles.items():
        assert read_module(key, catalogue()) == key
        assert read_module(title.upper(), catalogue()) == key


def test_an_unknown_module_is_refused_with_the_nearest():
    with pytest.raises(Invalid) as caught:
        read_module("Smart Rule", catalogue())
    assert "smart_rules" in caught.value.remedy


def test_a_column_that_is_not_there_is_refused_with_those_that_are():
    types = {"request_id": "String"}
    assert [column.name for column in choose(["action", "request_id"], types, catalogue())] == [
        "action",
        "request_id",
    ]
    with pytest.raises(Invalid) as caught:
        choose(["password"], types, catalogue())
    assert "request_id" in caught.value.remedy
