"""What the README shows an analyst and an operator runs as it stands there."""

import re
import shlex
from pathlib import Path

import pytest
from command import Audit

README = Path(__file__).parents[2] / "README.md"
QUERIES = [
    query
    for block in re.findall(r"```sql\n(.*?)```", README.read_text(), re.DOTALL)
    for query in filter(str.strip, block.split(";\n"))
]
COMMANDS = [
    shlex.split(line, comments=True)[1:]
    for line in re.findall(
        r"^\$ (audit (?:sql \"|actor|log|session|export|status|verify|doctor|dead).*)$",
        README.read_text(),
        re.MULTILINE,
    )
]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_the_readme_runs(query: str, audit: Audit) -> None:
    done = audit("sql", "--", query)  # a query may begin with a comment

    assert done.returncode == 0, done.stderr


def test_the_commands_of_the_readme_run_in_their_order(audit: Audit, tmp_path: Path) -> None:
    assert len(COMMANDS) >= 5
    for command in COMMANDS:
        here = [str(tmp_path) if part == "." else part for part in command]
        done = audit(*here)
        while "has no actor" in done.stderr:  # the directory is a second behind
            done = audit(*here)

        assert done.returncode in ((0, 3) if command[0] == "status" else (0,)), f"{command}: {done.stderr}"
    assert list(tmp_path.glob("*.xlsx"))
