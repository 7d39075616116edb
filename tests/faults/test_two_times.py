"""A service that gives one id to two times: both rows stay, and the operators' own check alarms."""

from datetime import UTC, datetime, timedelta

import pytest
from sinking import wait_until

from .rig import Rig, clickhouse_client
from .traffic import Mix, Traffic, event_body


@pytest.mark.slow
@pytest.mark.spare
def test_the_same_id_with_another_time_is_stored_twice_and_alarms(rig: Rig) -> None:
    rig.complete()
    began = datetime.now(UTC)
    with Traffic(rig.stack.kafka, rig.choose, Mix(rate=0)) as traffic:
        account, same = f"{traffic.account}-0", {"type": "smart_rule", "id": "7"}
        body = event_body(account=account, target=same, occurred_at="2026-03-02T09:00:00Z")
        event_id = traffic.publish(body)
        traffic.publish(body.replace(b"T09:00", b"T10:00"))

    with clickhouse_client(rig.stack) as client:
        query = "SELECT count() FROM audit_log WHERE account_id = %(account)s"
        wait_until(
            lambda: client.execute(query, {"account": account}) == [(2,)], seconds=60, about="both rows"
        )
    done = rig.verify(began - timedelta(minutes=1), datetime.now(UTC))
    assert done.returncode == 3
    assert str(event_id) in done.stdout
