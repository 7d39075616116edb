"""A command in the foreground behaves as under a shell."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from audit_deploy import foreground


def test_the_exit_code_is_the_commands():
    assert foreground.run(foreground.find(["sh", "-c", "exit 7"]), {}) == 7


def test_a_command_that_a_signal_ended_has_128_and_its_number():
    assert foreground.run(foreground.find(["sh", "-c", "kill -9 $$"]), {}) == 128 + signal.SIGKILL


def test_the_command_finds_what_it_needs_in_its_environment():
    assert (
        foreground.run(
            foreground.find(["sh", "-c", 'test "$AUDIT_KAFKA" = here:1']), {"AUDIT_KAFKA": "here:1"}
        )
        == 0
    )


def test_the_programs_of_this_installation_are_found_without_activating_it(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")

    assert os.path.dirname(sys.executable) == os.path.dirname(foreground.find(["audit"])[0])  # noqa: PTH120


def test_a_missing_command_is_one_line_and_127():
    with pytest.raises(foreground.CommandMissing, match="command not found: no-such-command") as refused:
        foreground.find(["no-such-command"])

    assert refused.value.exit_code == 127


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties processes to their parents")
def test_the_command_ends_when_its_parent_is_killed():
    code = "from audit_deploy import foreground as f; f.run(f.find(['sleep', '60']), {})"
    with subprocess.Popen([sys.executable, "-c", code]) as parent:
        deadline = time.monotonic() + 10
        while not (children := psutil.Process(parent.pid).children()) and time.monotonic() < deadline:
            time.sleep(0.02)
        while children[0].name() != "sleep" and time.monotonic() < deadline:
            time.sleep(0.02)
        parent.kill()

    _, left = psutil.wait_procs(children, timeout=5)
    assert ([p for p in left if p.status() != psutil.STATUS_ZOMBIE], len(children)) == ([], 1)
