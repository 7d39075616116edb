"""The catalogue's rules decide a module for every event, and name only modules that exist."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_schemas.catalogue import UNCLASSIFIED, Catalogue, Classifier, catalogue, catalogue_of
from audit_schemas.errors import Misconfigured

RULES = catalogue().rules
CLASSIFIER = Classifier.of(catalogue())
TYPES = sorted({name for rule in RULES for name in rule.target_types})
FIELDS = sorted({name for rule in RULES for name in rule.fields})


def test_there_are_the_eighteen_modules() -> None:
    assert len(catalogue().modules) == 18
    assert catalogue().title("smart_rules") == "Smart Rules"
    assert catalogue().title(UNCLASSIFIED) == "Unclassified"


def test_every_module_can_be_reached_by_a_rule() -> None:
    assert {rule.module for rule in RULES} == set(catalogue().modules)


@given(
    st.sampled_from(TYPES) | st.text(),
    st.sampled_from(["create", "update", "delete", "login", "logout"]) | st.text(),
    st.frozensets(st.sampled_from(FIELDS) | st.text(max_size=3), max_size=3),
    st.booleans(),
)
def test_the_rules_are_total_and_the_first_that_fits_decides(
    target_type: str, action: str, fields: frozenset[str], actor_is_target: bool
) -> None:
    fitting = [
        rule.module
        for rule in RULES
        if (not rule.target_types or target_type in rule.target_types)
        and (not rule.actions or action in rule.actions)
        and (not rule.fields or (fields and fields <= rule.fields))
        and (actor_is_target or not rule.actor_is_target)
    ]

    module = CLASSIFIER.module(target_type, action, fields, actor_is_target=actor_is_target)

    assert module == (fitting or [UNCLASSIFIED])[0]


@pytest.mark.parametrize(
    ("target_type", "action", "fields", "own", "module"),
    [
        ("agent", "update", {"signature"}, True, "my_settings"),
        ("agent", "update", {"role"}, False, "agents"),
        ("agent", "update", {"availability"}, True, "agent_availability"),
        ("agent", "update", {"availability", "role"}, False, "agents"),
        ("agent", "login", set(), True, "login_and_logout"),
        ("contact", "update", {"phone"}, False, "contacts"),
        ("saml_configuration", "update", {"issuer"}, False, "developer"),
        ("defect", "update", {"status"}, False, UNCLASSIFIED),
    ],
)
def test_an_agents_own_record_is_his_settings_and_his_status_his_availability(
    target_type: str, action: str, fields: set[str], own: bool, module: str
) -> None:
    assert CLASSIFIER.module(target_type, action, fields, actor_is_target=own) == module


def test_no_field_of_a_contact_is_of_two_kinds_or_a_path() -> None:
    fields = catalogue().contact
    named = [*fields.name, *fields.email, *fields.phone]
    assert len(named) == len(set(named))
    assert [field for field in named if "." in field] == []


def test_a_rule_for_a_module_that_does_not_exist_is_refused() -> None:
    text = (
        'version = 1\n[modules]\na = "A"\n[fallback]\n[templates]\n[contact]\nname = ["name"]\nemail = []\n'
        'phone = []\n[[rules]]\nmodule = "b"\n'
    )

    with pytest.raises(ValueError, match="'b', which is not among the modules"):
        Catalogue.model_validate(tomllib.loads(text))


def test_every_earlier_catalogue_is_kept_and_others_are_not_guessed() -> None:
    versions = range(1, catalogue().version + 1)
    assert list(versions) == [catalogue_of(version).version for version in versions]
    with pytest.raises(Misconfigured, match="the catalogue 999 is not known"):
        catalogue_of(999)
