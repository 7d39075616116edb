"""The catalogue's rules decide a module for every event, and name only modules that exist."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_schemas.catalogue import UNCLASSIFIED, Classifier, catalogue, first_catalogue

RULES = catalogue().rules
CLASSIFIER = Classifier.of(catalogue())
TARGETS = catalogue().targets
TYPES = sorted({*TARGETS, *(name for rule in RULES for name in rule.target_types)})
FIELDS = sorted({name for rule in RULES for name in rule.fields})


def test_there_are_the_eighteen_modules() -> None:
    assert len(catalogue().modules) == 18
    assert catalogue().title("smart_rules") == "Smart Rules"
    assert catalogue().title(UNCLASSIFIED) == "Unclassified"


@pytest.mark.parametrize("module", catalogue().modules)
def test_every_module_has_target_types_with_labelled_fields(module: str) -> None:
    own = {name: target for name, target in TARGETS.items() if target.module == module}
    assert len(own) >= 3
    assert [
        f"{name}.{key}" for name, it in own.items() for key, field in it.fields.items() if not field.label
    ] == []


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

    own = [TARGETS[target_type].module] if target_type in TARGETS else []
    assert module == [*fitting, *own, UNCLASSIFIED][0]


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


def test_catalogue_1_is_kept_for_the_rows_that_do_not_say_who_named_their_module() -> None:
    first = Classifier.of(first_catalogue())
    assert (1, catalogue().version) == (first_catalogue().version, 2000)
    assert first.module("smart_rule", "update", (), actor_is_target=False) == "smart_rules"
    assert first.module("macro", "update", (), actor_is_target=False) == UNCLASSIFIED


@pytest.mark.parametrize(
    "name", sorted({name for rule in first_catalogue().rules for name in rule.target_types})
)
def test_every_target_type_of_catalogue_1_keeps_its_module(name: str) -> None:
    before, now = Classifier.of(first_catalogue()), CLASSIFIER
    for action in ("create", "update", "login"):
        for own in (True, False):
            for fields in ((), ("status",), ("role",)):
                assert before.module(name, action, fields, actor_is_target=own) == now.module(
                    name, action, fields, actor_is_target=own
                )
