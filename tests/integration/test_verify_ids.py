"""The check of the ids: the same one with another time is an alarm, since both rows stay."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
import sinking
from enriching import START, enriched

from audit_schemas import topics
from audit_schemas.enriched import EnrichedEvent
from audit_schemas.settings import ClickHouse
from audit_schemas.wire import encode
from audit_sinks.verification.checking import Checked, Scope, Sources
from audit_sinks.verification.id_check import check_ids

HOUR = timedelta(hours=1)
Log = Callable[..., None]
Check = Callable[..., Checked]


@pytest.fixture
def log(client: Any, clickhouse: ClickHouse) -> Log:  # noqa: ARG001 - emptied first
    places = count()

    def stored(*events: EnrichedEvent) -> None:
        for event in events:
            payload = encode(replace(event, account="a") if event.account.startswith("account") else event)
            assert not sinking.insert(clickhouse, topics.EVENTS.name, payload, first=next(places))

    return stored


@pytest.fixture
def check(client: Any) -> Check:
    return lambda **scope: check_ids(Sources(client=client, kafka="", now=datetime.now(UTC)), Scope(**scope))


def found(checked: Checked) -> list[str]:
    fault = checked.faults["with_two_times"]
    assert fault.events == len(fault.examples)
    return [str(example) for example in fault.examples]


def test_an_id_with_another_time_is_named_with_both(log: Log, check: Check) -> None:
    log(enriched(1), enriched(2), enriched(2, id=enriched(1).id, received_at=START + HOUR))

    one, other = (
        f"{START + timedelta(milliseconds=1):%F %T.%f}Z",
        f"{START + timedelta(milliseconds=2):%F %T.%f}Z",
    )
    checked = check()
    assert checked.checked == 3
    assert found(checked) == [f"{enriched(1).id} of account a: {one} and {other}"]


def test_a_resend_and_the_same_id_in_another_account_are_no_alarm(log: Log, check: Check) -> None:
    log(enriched(1), enriched(1, received_at=START + HOUR))
    log(enriched(1, account="b", occurred_at=START + HOUR))

    assert found(check()) == []


def test_the_other_time_may_have_been_received_before_the_scope(log: Log, check: Check) -> None:
    log(enriched(1), enriched(1, occurred_at=START + HOUR, received_at=START + 48 * HOUR))

    assert len(found(check(since=START + 47 * HOUR))) == 1
    assert len(found(check(until=START + HOUR))) == 0
    assert len(found(check(since=START + 49 * HOUR))) == 0
    assert len(found(check(accounts=("b",)))) == 0
