"""An agent of one account gets nothing of another by any argument of the reading commands.

They read as an exporter that is bound to no account: what keeps accounts apart is the commands' work.
"""

import pytest
from click.testing import CliRunner
from log_rows import Log

from audit_exporter.contact_commands import contact
from audit_exporter.export_commands import export
from audit_exporter.log_commands import log
from audit_exporter.session_commands import session
from audit_exporter.sql import sql
from audit_schemas.permissions import Permission
from audit_schemas.settings import ClickHouse
from audit_sinks.clickhouse import connect

from .way import Aim, leaks
from .world import aim, fill

AGENT = "agent-7"
_WIDE = "4000"
"""Columns of a terminal in which no cell is cut or broken: a secret would not be seen in its pieces."""
COMMANDS = {"log": log, "contact": contact, "session": session, "export": export, "sql": sql}

# {mine}, {account}, {event}, {contact} and {mark} stand for what the attacker knows; {output} for a folder.
BY_ACCOUNT = (
    ("log", "list", "--account", "{account}"),
    ("log", "list", "--account", "{mine}", "--account", "{account}"),
    ("log", "list", "--account", "{account}", "--account", "{mine}"),
    ("log", "list", "--account", "{mine}') OR ('1' = '1"),
    ("log", "list", "--account", "{mine}\\", "--search", ") OR 1 = 1 --"),
    ("log", "list", "--account", "%"),
    ("log", "list", "--account", ""),
    ("log", "list", "--account", "{mine},{account}"),
    ("log", "list", "--account", "{account}", "--as", "' OR '1' = '1"),
    ("log", "view", "{event}", "--account", "{account}"),
    ("log", "view", "{event}", "--account", "{mine}"),
    ("session", "list", "--account", "{account}"),
    ("contact", "find", "{mark}", "--account", "{account}"),
    ("contact", "activity", "{contact}", "--account", "{account}"),
    ("export", "write", "--account", "{account}", "--output", "{output}/theirs.csv"),
)
FILTERED = (
    ("--search", "{mark}"),
    ("--search", "%"),
    ("--search", "' OR 1 = 1 --"),
    ("--search", "{{account:String}}"),
    ("--target", "contact/{contact}"),
    ("--target", "%/%"),
    ("--target", "x/') OR ('1'='1"),
    ("--related", "{mark} related/{mark} related"),
    ("--actor", "{mark} actor_id"),
    ("--actor", "') OR ('1'='1"),
    ("--field", "{mark} changes"),
    ("--field", "') OR 1 = 1 OR ('"),
    ("--session", "{mark} session_id"),
    ("--session", "\\') OR 1=1 --"),
    ("--request", "{mark} request_id"),
    ("--batch", "{mark} batch_id"),
    ("--batch", "') UNION ALL SELECT * FROM audit_log --"),
    ("--action", "login"),
    ("--action", "login') OR ('1'='1"),
    ("--module", "{mark} module"),
    ("--ip", "0.0.0.0/0"),
    ("--ip", "::/0"),
    ("--since", "2019-10-01"),
    ("--since", "1d') OR 1 = 1 --"),
    ("--tz", "UTC') OR 1 = 1 --"),
    ("--outcome", "success"),
    ("--json",),
    ("--all", "--json"),
    ("--limit", "1000000"),
)
OF_OTHERS = (
    ("contact", "find", "{mark}"),
    ("contact", "find", "%"),
    ("contact", "find", "' OR 1 = 1 --"),
    ("contact", "activity", "{contact}"),
    ("contact", "activity", "{contact}", "--include-pending"),
    ("contact", "activity", "{mark}@example.com"),
    ("contact", "activity", "%"),
    ("contact", "activity", "' OR 1 = 1 --"),
    ("session", "list", "--all"),
    ("session", "list", "--actor", "{mark} actor_id"),
    ("session", "list", "--state", "failed"),
    ("session", "list", "--ip", "::/0"),
    ("export", "write", "--search", "{mark}", "--output", "{output}/found.csv"),
    ("export", "write", "--output", "{output}/all.csv"),
    ("export", "write", "--output", "{output}/../{account}.csv", "--force"),
)


def _arguments() -> list[tuple[str, ...]]:
    mine = ("--account", "{mine}")
    return [
        *BY_ACCOUNT,
        *(("log", "list", *mine, *options) for options in FILTERED),
        *((command, verb, *rest, *mine) for command, verb, *rest in OF_OTHERS),
    ]


@pytest.fixture(scope="module")
def world(stack, log_in):
    """Two accounts with rows, an agent who may read all of the first, and the exporter's environment."""
    mine, other = aim(), aim()
    exporter = log_in("exporter")
    own = Log(stack.clickhouse)
    own.let_in(AGENT, *Permission, account=mine.account)
    own.close()
    with connect(ClickHouse.from_url(stack.clickhouse)) as admin:
        for whose in (mine, other):
            fill(admin, whose)
            # The later entry counts: one without a plan, which has every log.
            admin.execute(
                "INSERT INTO accounts (account_id, zone, updated_at) SELECT %(account)s, 'UTC', now64(6)",
                whose.names,
            )
    address = stack.clickhouse.split("@")[1]
    url = f"clickhouse://{exporter.user}:{exporter.password.get_secret_value()}@{address}"
    return mine, other, {"AUDIT_CLICKHOUSE": url, "AUDIT_KAFKA": "", "COLUMNS": _WIDE}


@pytest.fixture(scope="module")
def bound(stack, world, log_in):
    """Where an analyst of the first account reads."""
    analyst = log_in("analyst", world[0].account)
    address = stack.clickhouse.split("@")[1]
    return f"clickhouse://{analyst.user}:{analyst.password.get_secret_value()}@{address}"


def run(
    arguments: tuple[str, ...], mine: Aim, target: Aim, environment: dict[str, str], folder
) -> tuple[str, str]:
    """What was typed, and all that came: output, errors, files."""
    known = {**target.names, "mine": mine.account, "output": str(folder)}
    command, *rest = (text.format_map(known) for text in arguments)
    if "--as" not in rest:
        rest += ["--as", AGENT]
    done = CliRunner().invoke(COMMANDS[command], rest, env=environment)
    written = [file.read_text(errors="replace") for file in folder.rglob("*") if file.is_file()]
    said = getattr(done.exception, "message", str(done.exception or ""))
    return " ".join(rest), "\n".join([done.output, said, *written])


@pytest.mark.parametrize("arguments", _arguments(), ids=" ".join)
def test_an_agent_gets_nothing_of_another_account(world, arguments, tmp_path):
    mine, other, environment = world
    typed, came = run(arguments, mine, other, environment, tmp_path)
    assert leaks(came, typed, other) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ("log", "list", "--account", "{account}", "--json"),
        ("log", "view", "{event}", "--account", "{account}"),
        ("session", "list", "--account", "{account}", "--json"),
        ("contact", "find", "target_name", "--account", "{account}"),
        ("contact", "activity", "{contact}", "--account", "{account}"),
        ("export", "write", "--account", "{account}", "--output", "{output}/mine.csv"),
    ],
    ids=" ".join,
)
def test_the_same_commands_show_the_agents_own_account(world, arguments, tmp_path):
    mine, _, environment = world
    typed, came = run(arguments, mine, mine, environment, tmp_path)
    assert mine.mark in leaks(came, typed, mine)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT description FROM audit_log",
        "SELECT description FROM audit_log; SELECT 1",
        "SELECT value FROM dead_letters",
        "SELECT * FROM system.parts",
        "SELECT * FROM actors FORMAT Vertical",
        "INSERT INTO accounts (account_id) SELECT 'x'",
        "SET readonly = 0",
    ],
)
def test_audit_sql_shows_no_more_than_its_log_in_may_see(world, bound, query):
    _, other, _ = world
    done = CliRunner().invoke(sql, [query], env={"AUDIT_CLICKHOUSE": bound})
    assert leaks(done.output + str(done.exception), query, other) == set()


def test_audit_sql_shows_what_its_log_in_may_see(world, bound):
    mine, _, _ = world
    query = "SELECT description FROM audit_log"
    done = CliRunner().invoke(sql, [query], env={"AUDIT_CLICKHOUSE": bound})
    assert mine.mark in leaks(done.output, query, mine)
