"""Log-ins as files: names, literals that stay literals, and what each role is granted."""

import re
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from audit_schemas.errors import Invalid, Misconfigured
from audit_sinks import migrations
from audit_sinks.commands.users import user
from audit_sinks.users import objects
from audit_sinks.users.document import parse, render
from audit_sinks.users.folder import UsersFolder
from audit_sinks.users.limits import LIMITS
from audit_sinks.users.roles import Role, User, new_password, new_user
from audit_sinks.users.row_filter import read_accounts, row_filter

PASSWORD = "correct horse battery"
SUM = sha256(PASSWORD.encode()).hexdigest()
ODD = [
    "o'neill",
    "back\\slash",
    "\\'); SELECT (1",
    "${users.default.password}",
    '<&"]]>',
    "Zürich 東京 \u202e",
    "tab\tline\r\n\x00",
    " ",
    "\\x61",
]


def analyst(*accounts: str, name: str = "ada") -> User:
    return User(name, Role.ANALYST, SUM, accounts)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1))
def test_a_filter_says_its_accounts_and_nothing_that_sql_xml_or_a_substitution_could_read(accounts):
    condition = row_filter(accounts)
    assert read_accounts(condition) == tuple(accounts)
    assert re.fullmatch(r"account_id IN \('[\w\-.:@/ \\]*'(, '[\w\-.:@/ \\]*')*\)", condition, re.ASCII)
    assert not re.search(r"\\(?!x[0-9a-f]{2})", condition)


@pytest.mark.parametrize(
    "condition", ["1", "account_id IN ()", "account_id IN ('a') OR 1", "account_id = 'a'"]
)
def test_a_filter_that_somebody_else_wrote_is_not_taken_for_accounts(condition):
    with pytest.raises(Invalid, match="not a filter"):
        read_accounts(condition)


@pytest.mark.parametrize("role", Role)
def test_a_file_says_all_of_a_log_in(role):
    accounts = tuple(ODD) if role.reads_accounts else ()
    user = User("ada", role, SUM, accounts)
    assert parse(render(user, "audit")) == user


def test_a_file_holds_no_password():
    made = new_user("ada", Role.ANALYST, PASSWORD, ("acme",))
    assert PASSWORD not in render(made, "audit")
    assert made.password_sha256 == SUM


def test_the_filter_stands_on_every_table_and_view_that_has_accounts():
    root = ET.fromstring(render(analyst("acme"), "audit"))
    filters = {node.tag: node.findtext("filter") for node in root.findall("users/ada/databases/audit/*")}
    assert filters == dict.fromkeys(objects.OF_AN_ACCOUNT, "account_id IN ('acme')")


def test_a_limit_can_be_lowered_and_neither_raised_nor_switched_off():
    root = ET.fromstring(render(analyst(), "audit"))
    profile = root.find("profiles/audit_role_analyst")
    assert profile is not None
    limits = LIMITS[Role.ANALYST]
    for name, most in limits.most.items():
        assert profile.findtext(name) == str(most)
        assert profile.findtext(f"constraints/{name}/min") == "1"
        assert profile.findtext(f"constraints/{name}/max") == str(most)
    for name in limits.fixed:
        assert profile.find(f"constraints/{name}/readonly") is not None


def test_a_new_table_or_view_needs_a_rule():
    created = {
        name
        for migration in migrations.load()
        for name in re.findall(
            r"CREATE (?:OR REPLACE )?(?:TABLE|VIEW) (?:IF NOT EXISTS )?\$\{database\}\.(\w+)",
            migration.template,
        )
    }
    ruled = {*objects.OF_AN_ACCOUNT, *objects.OF_EVERYONE, *objects.OF_OPERATORS}
    assert created | {"schema_migrations"} == ruled


@pytest.mark.parametrize("role", [Role.ANALYST, Role.EXPORTER])
def test_a_reader_is_granted_nothing_but_to_read_and_nothing_of_the_operators(role):
    granted = objects.grants(role, "audit")
    assert all(re.fullmatch(r"GRANT SELECT(\([\w, ]+\))? ON audit\.\w+", grant) for grant in granted)
    assert not {grant.rpartition(".")[2] for grant in granted} & set(objects.OF_OPERATORS)


def test_the_ingest_user_is_granted_nothing_but_to_insert():
    assert all(
        re.fullmatch(r"GRANT INSERT ON audit\.\w+", grant) for grant in objects.grants(Role.INGEST, "audit")
    )


@pytest.mark.parametrize("name", ["", "Ada", "1a", "a.b", "a b", "a<b", "ä", "x" * 64, "a\n", "-a"])
def test_a_name_that_xml_or_the_server_would_read_otherwise_is_refused(name):
    with pytest.raises(Invalid, match="no name"):
        new_user(name, Role.ADMIN, PASSWORD, None)


@pytest.mark.parametrize(
    ("role", "accounts", "said"),
    [
        (Role.ANALYST, (), "needs accounts"),
        (Role.EXPORTER, (), "needs accounts"),
        (Role.INGEST, ("acme",), "cannot be bound"),
        (Role.ADMIN, ("acme",), "cannot be bound"),
        (Role.ANALYST, ("",), "no account"),
        (Role.ANALYST, ("a" * 201,), "no account"),
    ],
)
def test_accounts_that_a_role_cannot_have_are_refused(role, accounts, said):
    with pytest.raises(Invalid, match=said):
        new_user("ada", role, PASSWORD, accounts)


def test_a_short_password_is_refused():
    with pytest.raises(Invalid, match="shorter than 12"):
        new_user("ada", Role.ANALYST, "short", ("acme",))


def test_passwords_that_are_made_differ():
    assert len({new_password() for _ in range(100)}) == 100


def test_a_log_in_is_kept_until_it_is_removed(tmp_path: Path):
    folder = UsersFolder(tmp_path, "audit")
    folder.add(analyst("acme", name="bob"))
    folder.add(analyst("acme"))
    assert [user.name for user in folder.users()] == ["ada", "bob"]
    folder.remove("ada")
    assert folder.users() == [analyst("acme", name="bob")]
    with pytest.raises(Invalid, match="no log-in 'ada'"):
        folder.remove("ada")


def test_a_log_in_never_takes_the_place_of_another(tmp_path: Path):
    folder = UsersFolder(tmp_path, "audit")
    folder.add(analyst("acme"))
    with pytest.raises(Invalid, match="already"):
        folder.add(analyst("globex"))
    assert folder.users() == [analyst("acme")]


def test_a_file_is_the_owners_alone_and_nothing_else_is_left(tmp_path: Path):
    UsersFolder(tmp_path, "audit").add(analyst("acme"))
    (file,) = tmp_path.iterdir()
    assert file.name == "audit-user-ada.xml"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_of_another_version_is_known_and_can_be_written_anew(tmp_path: Path):
    folder = UsersFolder(tmp_path, "audit")
    folder.add(analyst("acme"))
    assert folder.is_current(analyst("acme"))
    (file,) = tmp_path.iterdir()
    file.write_text(file.read_text().replace("<max_result_rows>", "<max_result_rows>1"))
    assert not folder.is_current(analyst("acme"))
    folder.replace(analyst("acme"))
    assert folder.is_current(analyst("acme"))


@pytest.mark.parametrize(
    "text", ["", "<a/>", "<clickhouse><users><ada><profile>x</profile></ada></users></clickhouse>"]
)
def test_a_file_that_is_none_of_ours_is_named(tmp_path: Path, text: str):
    (tmp_path / "audit-user-ada.xml").write_text(text)
    with pytest.raises(Misconfigured, match=r"audit-user-ada\.xml"):
        UsersFolder(tmp_path, "audit").users()


def test_a_folder_that_is_not_there_is_said_with_the_setting_that_names_it(tmp_path: Path):
    with pytest.raises(Misconfigured, match="no such folder") as error:
        UsersFolder(tmp_path / "users.d", "audit").users()
    assert "AUDIT_CLICKHOUSE_USERS" in error.value.remedy


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    environment = {
        "AUDIT_CLICKHOUSE": "clickhouse://127.0.0.1:1/audit",
        "AUDIT_CLICKHOUSE_USERS": str(folder),
    }
    done = CliRunner().invoke(user, arguments, env=environment)
    return done.exit_code, done.output


def test_a_folder_that_is_brought_to_its_server_some_other_way_needs_no_server(tmp_path: Path):
    code, said = run(tmp_path, "create", "ada", "--role", "analyst", "--account", "acme", "--no-wait")
    assert code == 0
    password = said.splitlines()[0]
    (kept,) = UsersFolder(tmp_path, "audit").users()
    assert kept.password_sha256 == sha256(password.encode()).hexdigest()


def test_after_an_upgrade_every_log_in_can_be_written_anew(tmp_path: Path):
    UsersFolder(tmp_path, "audit").add(analyst("acme"))
    assert run(tmp_path, "refresh") == (0, "nothing to write: every file is current\n")
    (file,) = tmp_path.iterdir()
    file.write_text(file.read_text().replace("GRANT SELECT ON audit.accounts", "GRANT SELECT ON audit.old"))
    assert "audit user refresh" in run(tmp_path, "list")[1]
    assert run(tmp_path, "refresh") == (0, "ada: written anew\n")
    assert UsersFolder(tmp_path, "audit").is_current(analyst("acme"))


def test_accounts_and_all_accounts_exclude_each_other(tmp_path: Path):
    code, _ = run(
        tmp_path, "create", "ada", "--role", "analyst", "--account", "a", "--all-accounts", "--no-wait"
    )
    assert code == 2
    assert list(tmp_path.iterdir()) == []
