from pathlib import Path

import pytest

from audit_schemas.errors import Misconfigured
from audit_schemas.plans import Log, read_plans

OURS = read_plans()
NARROWED = """
plans = ["Mighty", "Fantastic", "Enterprise", "Enterprise Plus", "Unlimited Agents", "Scale", "Scale Plus"]
[logs]
basic = "all"
advanced = ["Enterprise Plus", "Scale", "Scale Plus"]
contact = ["Mighty", "Fantastic", "Enterprise", "Enterprise Plus", "Unlimited Agents"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "plans.toml"


@pytest.mark.parametrize("plan", OURS.plans)
def test_every_plan_has_the_basic_log_and_contact_activity(plan: str) -> None:
    assert OURS.has(plan, Log.BASIC)
    assert OURS.has(plan, Log.CONTACT)


def test_three_plans_have_the_advanced_log() -> None:
    assert [plan for plan in OURS.plans if OURS.has(plan, Log.ADVANCED)] == [
        "Enterprise Plus",
        "Scale",
        "Scale Plus",
    ]


def test_an_operator_narrows_contact_activity_to_some_plans(file: Path) -> None:
    file.write_text(NARROWED)
    plans = read_plans(file)
    assert plans.has("Mighty", Log.CONTACT)
    assert not plans.has("Scale", Log.CONTACT)
    assert plans.has("Scale", Log.ADVANCED)


@pytest.mark.parametrize("log", [Log.ADVANCED, Log.CONTACT])
def test_a_plan_that_is_not_known_has_the_basic_log_only(log: Log) -> None:
    assert OURS.has("Platinum", Log.BASIC)
    assert not OURS.has("Platinum", log)


def test_case_and_blanks_do_not_make_another_plan() -> None:
    assert OURS.has(" enterprise  PLUS ", Log.ADVANCED)


@pytest.mark.parametrize("log", Log)
def test_an_account_without_a_plan_has_every_log(log: Log) -> None:
    assert OURS.has("", log)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('plans = ["A"]\nlogs = \n', "plans.toml:2: "),
        ('plans = ["A"]\n[logs]\nbasic = "all"\nadvanced = "all"\n', "contact is missing"),
        (
            'plans = ["A"]\n[logs]\nbasic = "all"\nadvanced = ["B"]\ncontact = "all"\n',
            "logs.advanced: 'B' is not",
        ),
        ('plans = ["A"]\n[logs]\nbasic = "all"\nadvanced = "al"\ncontact = "all"\n', "logs.advanced"),
        ('plans = []\n[logs]\nbasic = "all"\nadvanced = "all"\ncontact = "all"\n', "plans: "),
        ('plan = ["A"]\n', "plan: "),
    ],
)
def test_a_file_that_is_wrong_is_named_with_its_key(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    with pytest.raises(Misconfigured, match=str(file)) as error:
        read_plans(file)
    assert said in error.value.message


def test_a_file_that_is_not_there_is_named(file: Path) -> None:
    with pytest.raises(Misconfigured, match="No such file"):
        read_plans(file)
