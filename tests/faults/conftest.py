"""The stacks that the cases attack, the seed of their choices, and the report of what became of them."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from command import AUDIT

from audit_deploy.control import Stack
from audit_deploy.stack import running

from .report import Report
from .rig import Rig, rig_on

_REPORT = pytest.StashKey[Report]()
_OUTPUT = Path(__file__).parents[2] / "out" / "faults.json"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "spare: does to the servers what the next test would not stand")
    config.stash[_REPORT] = Report(int(os.environ.get("AUDIT_SEED") or time.time()))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With AUDIT_CASE only what has these words in its name."""
    words = os.environ.get("AUDIT_CASE", "").strip()
    if words:
        left = [item for item in items if words not in in_words(item)]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    report = config.stash[_REPORT]
    if not report.rows:
        return
    terminalreporter.section(f"faults, seed {report.seed}")
    for line in report.table():
        terminalreporter.line(line)
    for row in report.rows:
        for failure in row.failures:
            terminalreporter.line(f"{row.case}: {failure}; repeat it with: {row.repeat}")
    report.save(_OUTPUT)


def in_words(item: pytest.Item) -> str:
    """The name of a test's case, or of the test."""
    found = _params(item).get("case")
    return found.name if found else item.name.removeprefix("test_").replace("_", " ")


def _params(item: pytest.Item) -> dict[str, Any]:
    callspec = getattr(item, "callspec", None)
    return dict(callspec.params) if callspec else {}


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Report:
    return pytestconfig.stash[_REPORT]


@contextmanager
def _prepared(folder: Path) -> Iterator[Stack]:
    """Servers, topics and tables; the workers are the cases' own."""
    with running(data_dir=folder, workers=False) as stack:
        environment = {**os.environ, **stack.environment}
        for command in (["topics", "apply"], ["migrate", "up"]):
            subprocess.run([AUDIT, *command], env=environment, check=True, capture_output=True, text=True)
        yield stack


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of this folder's own, since its servers are killed here."""
    with _prepared(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(scope="session")
def spare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Another one, for what would leave the first one unfit for the cases that follow."""
    with _prepared(tmp_path_factory.mktemp("spare")) as stack:
        yield stack


@pytest.fixture
def rig(request: pytest.FixtureRequest, report: Report, tmp_path: Path) -> Iterator[Rig]:
    """Of one test; its choices are the seed's and the case's, whatever ran before."""
    name, params = in_words(request.node), _params(request.node)
    harms = params["case"].spare if "case" in params else request.node.get_closest_marker("spare")
    stack: Stack = request.getfixturevalue("spare" if harms else "pipeline")
    choose = Random(f"{report.seed} {name} {params.get('round_', 0)}")
    with rig_on(stack, name, report, choose, tmp_path) as made:
        print(made.repeat)
        yield made
