"""What is done about a dead letter, as an event of the log: who, when, why, and what became of it.

The event is told before the letter is marked: a command that ends between the two leaves the letter
open, and whoever does it again tells of that as well. So nothing is done that the log does not hold.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID, uuid5

import msgspec
from msgspec import Raw

from audit_schemas import own_events
from audit_schemas.dead_letter import DeadLetter
from audit_schemas.event import Event, Target
from audit_schemas.own_events import operator
from audit_schemas.types import AccountId
from audit_schemas.wire import encode
from audit_sinks.dead_letters import stored
from audit_sinks.dead_letters.handling import Handling

Tell = Callable[[Sequence[tuple[DeadLetter, Handling]]], None]
"""Publishes what was done and returns once Kafka has it; raises Unreachable or Misconfigured."""

TARGET = "dead_letter"
_NAMESPACE = UUID("5d0a7a5e-8f0c-4f0e-9d8e-2c1c2f5d7b11")
_ACTIONS = {"replayed": "replay", "purged": "purge"}


class _Owned(msgspec.Struct):
    account: AccountId


def teller(kafka: str, operator_account: str) -> Tell:
    """Make the function that publishes.

    Args:
        kafka: bootstrap servers.
        operator_account: where that belongs whose bytes name no account.
    """
    return partial(_tell, kafka, operator_account)


def _tell(kafka: str, operator_account: str, done: Sequence[tuple[DeadLetter, Handling]]) -> None:
    own_events.record_all(kafka, [event_of(letter, handling, operator_account) for letter, handling in done])


def event_of(letter: DeadLetter, handling: Handling, operator_account: str) -> Event:
    """The event of one handling; the same one whenever it is made again.

    The id is derived from letter, action and time, and the time is the handling's: told twice it is
    stored once.
    """
    same = f"{handling.dead_letter_id}/{handling.action}/{handling.handled_at.isoformat()}"
    return Event(
        id=uuid5(_NAMESPACE, same),
        account=account_of(letter) or operator_account,
        occurred_at=handling.handled_at,
        action=_ACTIONS[handling.action],
        target=Target(type=TARGET, id=str(letter.id), name=stored.place(letter)),
        actor=operator(handling.handled_by),
        module=own_events.MODULE,
        reason=handling.reason or None,
        metadata=Raw(encode(_details(letter, handling))),
    )


def account_of(letter: DeadLetter) -> str | None:
    """The account that the bytes name, as far as they can be read."""
    try:
        return msgspec.json.decode(letter.value_bytes() or b"", type=_Owned).account
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _details(letter: DeadLetter, handling: Handling) -> dict[str, Any]:
    event_id = stored.event_id(letter.value_bytes())
    details: dict[str, Any] = {"stage": letter.stage, "refused_for": letter.reason}
    if event_id:
        details["event_id"] = event_id
    if handling.action == "replayed":
        details |= {
            "put_back": {"partition": handling.partition, "offset": handling.offset},
            "mended": handling.mended,
        }
    return details
