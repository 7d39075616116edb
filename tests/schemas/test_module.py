"""The module of an event, by the catalogue's rules or its producer's word."""

from datetime import UTC, datetime
from uuid import UUID

from audit_schemas.catalogue import catalogue
from audit_schemas.event import Change, Event, Target
from audit_schemas.wording.module import module_rules


def test_the_module_does_not_depend_on_whether_it_was_decided_before() -> None:
    decide = module_rules(catalogue())
    subject = Event(
        id=UUID(int=7 << 76 | 2 << 62),
        account="acme",
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        action="update",
        target=Target(type="agent", id="8"),
        changes=(Change(field="status"),),
    )
    assert decide(subject) == decide(subject) == ("agent_availability", None)
