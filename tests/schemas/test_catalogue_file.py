"""An operator's own file lies over the release's catalogue; what is wrong is named by file, line and key."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from audit_schemas.catalogue import Classifier, catalogue
from audit_schemas.commands import schema
from audit_schemas.errors import Misconfigured
from audit_schemas.toml_lines import line_of

OWN = """# ours
revision = 7

[modules]
orders = "Orders"

[[rules]]
module = "orders"
actions = ["refund"]

[targets.order]
module = "orders"
fields.total = { label = "Total", kind = "money" }

[targets.contact]
words = "client"

[targets.contact.fields]
phone = "Telephone"

[targets.webhook.templates]
touched = "Changed {label}"

[actions]
refund = "Refunded {target}"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "own.toml"


def written(file: Path, text: str) -> Path:
    file.write_text(text, "utf-8")
    return file


def test_an_operators_file_adds_and_overrules_key_by_key(file: Path) -> None:
    release, own = catalogue(), catalogue(written(file, OWN))
    assert own.version == release.version + 7
    assert list(own.modules) == [*release.modules, "orders"]
    assert own.targets["order"].fields["total"].kind == "money"
    contact, before = own.targets["contact"], release.targets["contact"]
    assert (contact.words, contact.fields["phone"].label) == ("client", "Telephone")
    assert contact.fields["email"] == before.fields["email"]
    assert contact.module == before.module
    classify = Classifier.of(own).module
    assert classify("contact", "refund", (), actor_is_target=False) == "orders"
    assert classify("contact", "update", (), actor_is_target=False) == "contacts"


def test_an_overruled_label_keeps_the_kind(file: Path) -> None:
    own = catalogue(written(file, 'revision = 1\n[targets.webhook.fields]\nsecret = "Key"\n'))
    assert own.targets["webhook"].fields["secret"].kind == "secret"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("revision = 1\n\nmodules = [\n", 3, "Invalid value"),
        ("revision = 1\n[targets.order\n", 2, "Expected ']'"),
        ("[modules]\n", 1, "revision: is missing"),
        ("# no\n\nrevision = 1000\n", 3, "revision: Input should be less than 1000"),
        ("revision = 1\nversion = 9\n", 2, "version: unknown key"),
        ("revision = 1\n\n[moduls]\na = 'A'\n", 3, "moduls: unknown key"),
        (
            "revision = 1\n[targets.order]\nmodule = 'sla'\nlabel = 'x'\n",
            4,
            "targets.order.label: unknown key",
        ),
        ("revision = 1\n[targets.order]\nwords = 'x'\n", 2, "targets.order.module: is missing"),
        (
            'revision = 1\n[targets.sla.fields]\na = "A"\nb = { label = "B", kind = "mony" }\n',
            4,
            "targets.sla.fields.b.kind: Input should be 'text', 'number'",
        ),
        (
            'revision = 1\n[targets.sla.templates]\nset = """\nSet\n"""\nchanged = """\n{what}\n"""\n',
            6,
            "targets.sla.templates.changed: unknown placeholder what",
        ),
        ("revision = 1\n[actions]\nmerge = 'a {'\n", 3, "actions.merge: "),
        ("revision = 1\n[templates]\nchangd = 'x'\n", 3, "templates.changd: Input should be 'changed'"),
        ("revision = 1\n[actions]\nmerge = '{sentence}'\n", 3, "actions.merge: unknown placeholder sentence"),
        ("revision = 1\n[targets.order]\nmodule = 'crm'\n", 3, "targets.order.module: unknown module 'crm'"),
        (
            "revision = 1\n[[rules]]\nmodule = 'sla'\n\n[[rules]]\nactions = ['x']\nmodule = 'crm'\n",
            7,
            "rules.1.module: unknown module 'crm'",
        ),
    ],
)
def test_what_is_wrong_is_named_by_file_line_and_key(file: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        catalogue(written(file, text))
    assert caught.value.message.startswith(f"{file}:{line}: {said}")


def test_all_faults_are_named_at_once(file: Path) -> None:
    text = "revision = 1\na = 1\nb = 2\n"
    with pytest.raises(Misconfigured) as caught:
        catalogue(written(file, text))
    assert caught.value.message.splitlines() == [f"{file}:2: a: unknown key", f"{file}:3: b: unknown key"]


def test_a_file_that_is_not_there_or_no_text_is_named(file: Path) -> None:
    with pytest.raises(Misconfigured, match=r"own\.toml: No such file"):
        catalogue(file)
    file.write_bytes(b"revision = 1\n# \xff")
    with pytest.raises(Misconfigured, match=r"own\.toml:2: is no UTF-8"):
        catalogue(file)


def test_a_key_is_found_wherever_toml_lets_it_stand() -> None:
    text = 'a.b = 1\n[c]\nd = [\n  1,\n]\n"e.f" = { g = [ { h = 1 } ] }\n[[i]]\nj = 1\n[[i]]\nj = 2\n'
    keys = {("a", "b"): 1, ("c",): 2, ("c", "d", 0): 3, ("c", "e.f", "g", 0, "h"): 6, ("i", 0, "j"): 8}
    keys |= {("i", 1, "j"): 10, ("i", 1, "missing"): 9, ("nowhere",): 1}
    assert keys == {path: line_of(text, path) for path in keys}


def test_the_command_shows_what_a_file_adds_and_overrules(file: Path) -> None:
    done = CliRunner().invoke(schema, ["check", "--catalogue", str(written(file, OWN))])
    assert done.output.splitlines() == [
        "+ actions.refund: 'Refunded {target}'",
        "+ modules.orders: 'Orders'",
        "+ rule {'module': 'orders', 'actions': ['refund']}: 'orders'",
        "~ targets.contact.fields.phone.label: 'Primary phone number' -> 'Telephone'",
        "+ targets.contact.words: 'client'",
        "+ targets.order.fields.total.kind: 'money'",
        "+ targets.order.fields.total.label: 'Total'",
        "+ targets.order.module: 'orders'",
        "+ targets.webhook.templates.touched: 'Changed {label}'",
        "catalogue 2007: 19 modules, 105 target types",
    ]
