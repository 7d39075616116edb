"""What counts as well among the processes of a stack."""

from pathlib import Path

import pytest

from audit_deploy.status import Part


@pytest.mark.parametrize(
    ("state", "waiting_for", "is_well"),
    [
        ("RUNNING", None, True),
        ("STARTING", None, True),  # it answers already; supervisord waits a second before it says so
        ("STARTING", "refused", False),
        ("RUNNING", "reading the directory", False),
        ("BACKOFF", "refused", False),
        ("STOPPED", "refused", False),
    ],
)
def test_a_process_is_well_as_soon_as_it_can_be_used(state: str, waiting_for: str | None, is_well: bool):
    part = Part("kafka", state, waiting_for, 1, 0, 0, 9092, Path("kafka.log"))

    assert is_well == part.is_well
