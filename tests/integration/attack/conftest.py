"""Log-ins for as long as the tests of a module run."""

from collections.abc import Iterator

import pytest
from log_ins import LogIn, log_ins


@pytest.fixture(scope="module")
def log_in(stack) -> Iterator[LogIn]:
    with log_ins(stack) as make:
        yield make
