"""The recorder: what a service calls to say what happened."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, Unpack
from uuid import UUID

from audit_producers import context
from audit_producers.delivery import Delivery, OnUndelivered, Record, Stats, open_delivery
from audit_producers.diff import State
from audit_producers.directory import AccountFields, ActorFields, account_record, actor_record
from audit_producers.drafting import About, Changes, Circumstances, Setting, drafted
from audit_producers.lifecycle import Clock, Publisher, utc_now
from audit_producers.settings import DeliveryName, Settings
from audit_producers.targets import Kind, Kinds, changes
from audit_schemas.errors import Invalid
from audit_schemas.event import Actor, Origin, Target

logger = logging.getLogger(__name__)

T = TypeVar("T")

_KINDS_OF_FAULTS = 1000
"""So many kinds of bad events are logged once each; then no more of them."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A bad event: what the service said, and what is wrong with it."""

    said: dict[str, Any]
    """Not redacted: it has not left the process."""
    error: Invalid


class Recorder:
    """Records what happens in a service. One for each process; any thread or task may use it at any time.

    A call returns as soon as the event is in the delivery's bounded queue. It waits when the queue is
    full, up to `block_seconds`, and then raises QueueFull: the event was not taken over. A bad event
    is logged once a kind, counted in `stats` and handed to `on_rejected`; it raises Invalid only in
    strict mode. What is in the queue when the process ends is sent within `exit_seconds`.

    Args:
        settings: Settings.from_env(service=…).
        delivery: in place of the settings' one: kafka, console, memory, or a delivery of your own.
        on_rejected: is handed each bad event, in the thread that recorded it.
        on_undelivered: is handed each record that Kafka did not take; in the delivery's thread.
        clock: the time of an event that brings none.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        delivery: DeliveryName | Delivery | None = None,
        on_rejected: Callable[[Rejected], object] | None = None,
        on_undelivered: OnUndelivered | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self.settings = settings
        self.delivery = open_delivery(delivery or settings.delivery, settings, on_undelivered)
        self.context = context.Contexts()
        """Opens scopes with an account, an actor or an origin; `dump` and `load` carry them to jobs."""
        self._kinds = Kinds()
        self._on_rejected = on_rejected
        self._clock = clock
        self._faults: set[str] = set()
        self._publisher = Publisher(self.delivery, settings, clock)

    @property
    def stats(self) -> Stats:
        """What became of the records of this process."""
        return self.delivery.stats

    def register(self, cls: type[T], kind: Kind | None = None, **rules: Any) -> type[T]:
        """Say how objects of a class are recorded: audit.register(Contact, type="contact", redact={"pin"}).

        Args:
            cls: the class; subclasses follow it unless they are registered themselves.
            kind: the rules, or
            **rules: the fields of `Kind`.
        """
        self._kinds.register(cls, kind or Kind(**rules))
        return cls

    def bind(
        self, *, account: str | None = None, actor: Actor | None = None, origin: Origin | None = None
    ) -> None:
        """Set what every later event of the current scope carries; see `audit_producers.context`."""
        context.bind(context.given(account=account, actor=actor, origin=origin))

    def snapshot(self, obj: object) -> State:
        """An object's state now, for `updated(obj, before=…)`."""
        return self._kinds.state_of(obj)

    def record(
        self, action: str, target: object, *, changes: Changes = (), **about: Unpack[About]
    ) -> UUID | None:
        """Record any action: a verb in the present tense, as in export or merge.

        Args:
            action: letters in lower case, digits and underscores.
            target: a Target, or an object that is one.
            changes: the fields that changed.
            **about: see `About`.

        Returns:
            The event's id, or None when it was rejected.

        Raises:
            QueueFull: there was no room in time.
            Invalid: in strict mode, for a bad event.
        """
        return self._record(action, target, lambda: changes, about)

    def created(self, obj: object, *, target: Target | None = None, **about: Unpack[About]) -> UUID | None:
        """Record that something was made, with its first values."""
        return self._record(
            "create", target or obj, lambda: self._changes({}, self.snapshot(obj), obj), about
        )

    def updated(
        self, obj: object, *, before: object, target: Target | None = None, **about: Unpack[About]
    ) -> UUID | None:
        """Record what changed since `before`, a snapshot or an earlier object; nothing when nothing did."""
        return self._updated(obj, lambda: self.snapshot(before), target, about)

    def deleted(self, obj: object, *, target: Target | None = None, **about: Unpack[About]) -> UUID | None:
        """Record that something is gone, with its last values."""
        return self._record(
            "delete", target or obj, lambda: self._changes(self.snapshot(obj), {}, obj), about
        )

    def viewed(self, target: object, **about: Unpack[About]) -> UUID | None:
        """Record that somebody looked at something."""
        return self._record("view", target, tuple, about)

    def logged_in(self, actor: Actor | None = None, **about: Unpack[Circumstances]) -> UUID | None:
        """Record that an actor, or the bound one, signed in."""
        return self._session("login", actor, about)

    def login_failed(
        self, actor: Actor | None = None, *, why: str | None = None, **about: Unpack[Circumstances]
    ) -> UUID | None:
        """Record that somebody could not sign in: who, as far as it is known, and why."""
        about.setdefault("outcome", "failure")
        if why is not None:
            about["outcome_reason"] = why
        return self._session("login", actor, about)

    def logged_out(self, actor: Actor | None = None, **about: Unpack[Circumstances]) -> UUID | None:
        """Record that an actor, or the bound one, signed out."""
        return self._session("logout", actor, about)

    @contextmanager
    def tracking(self, obj: T, *, target: Target | None = None, **about: Unpack[About]) -> Iterator[T]:
        """Record what a block changes in an object: one event, if it succeeds and something changed."""
        before = _attempted(lambda: self.snapshot(obj))
        yield obj
        self._updated(obj, before, target, about)

    def set_account(self, id: str, **fields: Unpack[AccountFields]) -> None:  # noqa: A002
        """Publish an account's entry in the directory; it replaces the one before.

        Raises:
            QueueFull: there was no room in time.
            Invalid: in strict mode, for a bad entry.
        """
        self._describe(lambda: account_record(id, fields, updated_at=self._clock()), {"id": id, **fields})

    def set_actor(self, account: str, id: str, **fields: Unpack[ActorFields]) -> None:  # noqa: A002
        """Publish an actor's entry in the directory; replaces the one before, raises as `set_account`."""
        said = {"account": account, "id": id, **fields}
        self._describe(lambda: actor_record(account, id, fields, updated_at=self._clock()), said)

    def flush(self, timeout: float = 10.0) -> int:
        """Wait until all is acknowledged, at most `timeout` seconds; returns how many records are not."""
        return self.delivery.flush(timeout)

    async def aflush(self, timeout: float = 10.0) -> int:  # noqa: ASYNC109 - the same call as flush
        """`flush` without blocking the event loop."""
        return await asyncio.to_thread(self.flush, timeout)

    def close(self) -> None:
        """Send what is left, within `exit_seconds`, and take no more. Called at the interpreter's exit."""
        self._publisher.end()

    def _session(self, action: str, actor: Actor | None, circumstances: Circumstances) -> UUID | None:
        who = actor or context.bound().get("actor") or Actor()
        known = who.id or who.email or who.name or "unknown"
        about: About = {**circumstances, "actor": who}
        return self._record(action, Target(type=who.type, id=known, name=who.name), tuple, about)

    def _updated(
        self, obj: object, before: Callable[[], State], target: Target | None, about: About
    ) -> UUID | None:
        return self._record(
            "update",
            target or obj,
            lambda: self._changes(before(), self.snapshot(obj), obj),
            about,
            needs_changes=True,
        )

    def _changes(self, old: State, new: State, obj: object) -> Changes:
        return changes(old, new, self._kinds.kind_of(obj))

    def _record(
        self,
        action: str,
        target: object,
        changes: Callable[[], Changes],
        about: About,
        *,
        needs_changes: bool = False,
    ) -> UUID | None:
        try:
            told = changes()
            if needs_changes and not told:
                return None
            setting = Setting(self.settings.service, context.bound(), self._clock())
            event, body = drafted(action, self._kinds.target_of(target), told, about, setting)
        except Exception as error:  # noqa: BLE001 - the service's own objects may raise anything
            self._reject(error, {"action": action, "target": target, **context.bound(), **about})
            return None
        self._publisher.publish_event(event, body)
        return event.id

    def _describe(self, make: Callable[[], Record], said: dict[str, Any]) -> None:
        try:
            self._publisher.publish(make())
        except Invalid as error:
            self._reject(error, said)

    def _reject(self, error: Exception, said: dict[str, Any]) -> None:
        fault = error if isinstance(error, Invalid) else Invalid(f"{type(error).__name__}: {error}")
        self.stats.rejected += 1
        if self.settings.strict:
            raise fault from error
        kind = f"{said.get('action', 'directory')} {fault.message.split(':')[0]}"
        if kind not in self._faults and len(self._faults) < _KINDS_OF_FAULTS:
            self._faults.add(kind)
            logger.error("a bad audit event was not recorded (%s): %s %s", kind, fault.message, fault.remedy)
        if self._on_rejected:
            self._on_rejected(Rejected(said, fault))


def _attempted(call: Callable[[], T]) -> Callable[[], T]:
    """Do something now, and return or raise its outcome later."""
    try:
        result = call()
    except Exception as error:  # noqa: BLE001 - see Recorder._record
        fault = error

        def fail() -> T:
            raise fault

        return fail
    return lambda: result
