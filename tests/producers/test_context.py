import asyncio
import contextvars
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from audit_producers import Actor, Origin, Principal
from audit_producers.context import Contexts, _current, bind, bound, given

ANN = Actor.agent("7", name="Ann")
BOB = Actor.agent("8", name="Bob")
context = Contexts()


def bind_actor(actor: Actor) -> None:
    bind(given(account=None, actor=actor, origin=None))


@pytest.fixture(autouse=True)
def _own_context() -> Iterator[None]:
    """What a test binds outside of any scope must not reach the next test."""
    token = _current.set(None)
    yield
    _current.reset(token)


def test_what_a_thread_binds_late_is_seen_by_the_code_around_it():
    async def request() -> Any:
        with context(account="acme"):
            await asyncio.to_thread(bind_actor, ANN)
            return bound()

    assert asyncio.run(request()) == {"account": "acme", "actor": ANN}


def test_an_executor_with_a_copied_context_binds_into_the_same_scope():
    with context(), ThreadPoolExecutor() as pool:
        pool.submit(contextvars.copy_context().run, bind_actor, ANN).result()

        assert bound() == {"actor": ANN}


def test_concurrent_requests_never_see_each_other():
    async def request(actor: Actor, barrier: asyncio.Barrier) -> Any:
        with context(account=f"account of {actor.id}"):
            await barrier.wait()
            await asyncio.to_thread(bind_actor, actor)
            await barrier.wait()
            return bound()

    async def serve() -> list[Any]:
        barrier = asyncio.Barrier(2)
        return await asyncio.gather(request(ANN, barrier), request(BOB, barrier))

    assert asyncio.run(serve()) == [
        {"account": "account of 7", "actor": ANN},
        {"account": "account of 8", "actor": BOB},
    ]


def test_requests_without_scopes_override_what_was_bound_before_them_only_for_themselves():
    async def request(actor: Actor | None) -> Any:
        if actor:
            bind_actor(actor)
        await asyncio.sleep(0)
        return bound().get("actor")

    async def serve() -> list[Any]:
        return await asyncio.gather(request(ANN), request(BOB), request(None))

    bind_actor(Actor.system("worker"))
    assert asyncio.run(serve()) == [ANN, BOB, Actor.system("worker")]
    assert bound() == {"actor": Actor.system("worker")}


def test_a_new_thread_begins_with_nothing():
    seen: list[Any] = []
    with context(account="acme"):
        thread = threading.Thread(target=lambda: seen.append(bound()))
        thread.start()
        thread.join()

    assert seen == [{}]


def test_the_innermost_scope_wins_and_what_it_lacks_comes_from_around_it():
    with context(account="acme", actor=ANN):
        with context(actor=BOB):
            assert bound() == {"account": "acme", "actor": BOB}
        assert bound() == {"account": "acme", "actor": ANN}
    assert bound() == {}


def test_a_scope_sees_what_is_bound_later_in_the_one_around_it():
    with context() as outer, context(actor=BOB):
        outer.values["account"] = "acme"

        assert bound() == {"account": "acme", "actor": BOB}


def test_a_block_may_be_left_in_another_copy_of_the_context():
    block = context(account="acme")
    contextvars.copy_context().run(block.__enter__)

    contextvars.copy_context().run(block.__exit__, None, None, None)
    assert bound() == {}


def test_a_job_gets_the_context_that_was_dumped_and_nothing_else():
    behind = Actor.integration("zapier", behind=Principal(type="agent", id="7"))
    with context(account="acme", actor=behind, origin=Origin(address="10.0.0.1", session="s")):
        dumped = msgspec.json.decode(msgspec.json.encode(context.dump()))

    with context(actor=BOB, origin=Origin(address="worker")), context.load(dumped):
        assert bound()["account"] == "acme"
        assert bound()["actor"].on_behalf_of == behind.on_behalf_of
        assert bound()["origin"] == Origin(address="10.0.0.1", session="s")
    with context(actor=BOB), context.load({}):
        assert bound() == {}


def test_what_is_no_dumped_context_is_refused():
    with pytest.raises(msgspec.ValidationError, match="account"):
        context.load({"account": 5})
