"""The points at which tests end a worker: nothing at all unless one is armed, and then that one alone."""

import signal
import subprocess
import sys
import time

import psutil
import pytest

from audit_schemas import kill_points
from audit_schemas.errors import Misconfigured

_COUNT = """
from audit_schemas import kill_points
kill_points.arm({armed!r})
call = kill_points.at("sink.inserted", lambda number: print(number, flush=True))
for number in range(1, 6):
    call(number)
"""


def _run(armed: str) -> "subprocess.CompletedProcess[str]":
    script = _COUNT.format(armed=armed)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


def test_unarmed_the_call_is_the_very_same_one():
    def call() -> None: ...

    assert kill_points.at("sink.inserted", call) is call


def test_the_process_is_killed_before_the_call_of_that_number():
    found = _run("sink.inserted@3")

    assert (found.returncode, found.stdout) == (-signal.SIGKILL, "1\n2\n")


def test_another_point_does_nothing():
    found = _run("sink.journaled")

    assert (found.returncode, found.stdout) == (0, "1\n2\n3\n4\n5\n")


def test_a_stopped_process_goes_on_where_it_was():
    script = _COUNT.format(armed="stop sink.inserted@2")
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        while psutil.Process(process.pid).status() != psutil.STATUS_STOPPED:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGCONT)
        assert process.stdout.read() == "2\n3\n4\n5\n"


@pytest.mark.parametrize("text", ["sink.nowhere", "sink.inserted@0", "end sink.inserted", "sink.inserted@x"])
def test_what_is_no_point_is_refused(text: str):
    with pytest.raises(Misconfigured, match="no kill point"):
        kill_points.arm(text)


def test_a_call_at_an_unknown_point_is_an_error():
    with pytest.raises(ValueError, match=r"sink\.nowhere is no kill point"):
        kill_points.at("sink.nowhere", kill_points.nothing)
