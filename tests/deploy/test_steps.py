"""What the person sees while steps are taken, on a terminal and off it."""

import io
import time

from rich.console import Console

from audit_deploy.steps import Steps


def steps(terminal: bool) -> tuple[Steps, io.StringIO]:
    seen = io.StringIO()
    return Steps(Console(file=seen, width=100, force_terminal=terminal)), seen


def drawn(seen: io.StringIO, words: str) -> str:
    """What has been drawn once the words are there; a terminal is drawn some times a second."""
    end = time.monotonic() + 5
    while words not in seen.getvalue() and time.monotonic() < end:
        time.sleep(0.01)
    return seen.getvalue()


def test_off_a_terminal_each_step_is_one_line_and_what_is_live_one_more():
    taken, seen = steps(terminal=False)

    with taken:
        taken.begin("the first")
        taken.begin("the second", live="in 7 s")

    first, live, second = seen.getvalue().splitlines()
    assert (first.split(" s  ")[1], live, second.split(" s  ")[1]) == ("the first", "in 7 s", "the second")


def test_on_a_terminal_what_is_live_takes_the_place_of_the_words_until_the_step_is_done():
    taken, seen = steps(terminal=True)

    with taken:
        taken.begin("the step", live="in 7 s")
        during = drawn(seen, "in 7 s")
        taken.done()

    assert ("in 7 s" in during, "the step" in during) == (True, False)
    assert "the step" in seen.getvalue()


def test_on_a_terminal_a_step_after_a_pause_is_seen_again():
    taken, seen = steps(terminal=True)

    with taken:
        taken.begin("the first")
        taken.done()
        taken.begin("the second")

        assert "the second" in drawn(seen, "the second")


def test_a_files_name_in_a_step_is_no_markup():
    taken, seen = steps(terminal=False)

    with taken:
        taken.begin("publishing [/red][events].jsonl")

    assert seen.getvalue().rstrip().endswith("publishing [/red][events].jsonl")
