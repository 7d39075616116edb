"""Which ports a stack takes."""

import os
import socket

import pytest

from audit_deploy.errors import PortTaken
from audit_deploy.ports import HOST, choose


@pytest.fixture
def taken():
    with socket.create_server((HOST, 0)) as listener:
        yield listener.getsockname()[1]


def test_free_ports_are_all_different():
    names = [f"part-{number}" for number in range(50)]

    chosen = choose(names, given={}, last={})

    assert len(set(chosen.values())) == 50
    assert set(names) == set(chosen)


def test_a_given_port_is_taken_as_it_is():
    free = choose(["kafka"], given={}, last={})["kafka"]

    assert {"kafka": free} == choose(["kafka"], given={"kafka": free}, last={"kafka": 1})


def test_a_port_of_last_time_is_taken_again():
    last = choose(["kafka", "clickhouse"], given={}, last={})

    assert last == choose(["kafka", "clickhouse"], given={}, last=last)


def test_a_port_of_last_time_that_somebody_else_has_now_is_replaced(taken):
    assert taken != choose(["kafka"], given={}, last={"kafka": taken})["kafka"]


def test_a_given_port_in_use_is_refused_with_its_owner_and_a_remedy(taken):
    with pytest.raises(PortTaken) as refused:
        choose(["kafka"], given={"kafka": taken}, last={})

    assert f"port {taken} for kafka is in use" in refused.value.message
    assert str(os.getpid()) in refused.value.message
    assert "another port" in refused.value.remedy


def test_the_same_port_for_two_parts_is_refused():
    free = choose(["kafka"], given={}, last={})["kafka"]

    with pytest.raises(PortTaken):
        choose(["kafka", "clickhouse"], given={"kafka": free, "clickhouse": free}, last={})
