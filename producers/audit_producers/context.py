"""Who is acting, for which account and from where: known once, somewhere in a call, and used by every event.

A scope is put in place first, by a middleware or a job runner, and is filled later, wherever the
actor becomes known. Code that runs in a thread or a task started inside the scope sees a copy of
the context, but the same scope: what it binds is seen by the code around it.

Without a scope a bound value travels as context variables do: into what is started afterwards,
never back and never sideways. So a value bound while a module is imported is a default that a
request can override for itself and for no other.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypedDict

import msgspec

from audit_producers.lean import lean
from audit_schemas.event import Actor, Origin


class Bound(TypedDict, total=False):
    """What a context can hold."""

    account: str
    actor: Actor
    origin: Origin


@dataclass(slots=True)
class Scope:
    """A mutable holder of bound values; what it lacks is looked up in the one around it."""

    values: Bound
    outer: "Scope | None" = None
    is_shared: bool = True
    """False: made by a `bind` outside of any scope; it is replaced, never changed."""

    def resolved(self) -> Bound:
        """All values; the innermost wins."""
        return self.outer.resolved() | self.values if self.outer else self.values


_current: ContextVar[Scope | None] = ContextVar("audit_scope", default=None)


def bind(values: Bound) -> None:
    """Set values in the current scope, or, where there is none, in the current context."""
    scope = _current.get()
    if scope is not None and scope.is_shared:
        scope.values |= values
    else:
        _current.set(Scope(bound() | values, is_shared=False))


def bound() -> Bound:
    """The values that are bound here and now."""
    scope = _current.get()
    return scope.resolved() if scope else Bound()


class Contexts:
    """`recorder.context`: opens scopes, and carries them through a queue of jobs.

    with audit.context(actor=Actor.system("nightly")):
        ...
    queue.put({"job": "merge", "audit": audit.context.dump()})
    with audit.context.load(job["audit"]):
        ...
    """

    def __call__(
        self, *, account: str | None = None, actor: Actor | None = None, origin: Origin | None = None
    ) -> AbstractContextManager[Scope]:
        """A scope with these values; what is left out is that of the scope around it."""
        return _placed(Scope(given(account=account, actor=actor, origin=origin), outer=_current.get()))

    def dump(self) -> dict[str, Any]:
        """The bound values as plain JSON values, to be sent along with a job."""
        return {name: lean(value) for name, value in bound().items()}

    def load(self, dumped: Mapping[str, Any]) -> AbstractContextManager[Scope]:
        """A scope with the values that `dump` gave, and with no others.

        Raises:
            msgspec.ValidationError: it is no dumped context.
        """
        return _placed(Scope(msgspec.convert(dumped, Bound)))


def given(*, account: str | None, actor: Actor | None, origin: Origin | None) -> Bound:
    """The values that are not None."""
    values = Bound()
    if account is not None:
        values["account"] = account
    if actor is not None:
        values["actor"] = actor
    if origin is not None:
        values["origin"] = origin
    return values


@contextmanager
def _placed(scope: Scope) -> Iterator[Scope]:
    token = _current.set(scope)
    try:
        yield scope
    finally:
        # A framework may leave a block in another copy of the context than it entered it in. That
        # copy ends with its task or thread, so that there is nothing to restore in it.
        with suppress(ValueError):
            _current.reset(token)
