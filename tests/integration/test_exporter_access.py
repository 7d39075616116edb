"""Who may read: permissions, plans and zones, on the real ClickHouse."""

import pytest
from log_rows import VIEWER, Log

from audit_exporter.access import ACTIVITY, FILES, LOG, PENDING, SESSIONS, authorize
from audit_schemas.errors import Refused
from audit_schemas.permissions import Permission


@pytest.fixture
def other(stack):
    log = Log(stack.clickhouse)
    yield log
    log.close()


@pytest.mark.parametrize(
    ("permissions", "needed", "allowed"),
    [
        ([Permission.VIEW], LOG, True),
        ([Permission.VIEW], FILES, False),
        ([Permission.EXPORT], LOG, True),
        ([Permission.EXPORT], FILES, True),
        (["Delete tickets"], LOG, False),
    ],
)
def test_a_permission_decides(connection, log, permissions, needed, allowed):
    log.let_in(VIEWER, *permissions)
    if allowed:
        assert authorize(connection, (log.account,), VIEWER, needed).accounts == (log.account,)
    else:
        with pytest.raises(Refused, match=needed.permission.value):
            authorize(connection, (log.account,), VIEWER, needed)


def test_an_actor_who_is_not_known_is_refused_and_said_so(connection, log):
    with pytest.raises(Refused, match="has no actor 'nobody'"):
        authorize(connection, (log.account,), "nobody", LOG)


def test_an_actor_who_has_left_is_refused(connection, log):
    log.let_in(active=False)
    with pytest.raises(Refused, match="has left"):
        authorize(connection, (log.account,), VIEWER, LOG)


def test_each_of_several_accounts_must_let_the_actor_in(connection, log, other):
    log.let_in()
    with pytest.raises(Refused, match=other.account):
        authorize(connection, (log.account, other.account), VIEWER, LOG)
    other.let_in()
    accounts = (log.account, other.account)
    assert authorize(connection, accounts, VIEWER, LOG).accounts == accounts


def test_the_zone_is_the_options_then_the_actors_then_the_accounts_then_utc(connection, log):
    def zone(actor, given=None):
        return str(authorize(connection, (log.account,), actor, LOG, given).zone)

    log.let_in(VIEWER)
    log.let_in("zoned", zone="Asia/Kolkata")
    assert zone(VIEWER) == "UTC"
    log.describe_account(zone="Europe/Berlin")
    assert zone(VIEWER) == "Europe/Berlin"
    assert zone("zoned") == "Asia/Kolkata"
    assert zone("zoned", "America/New_York") == "America/New_York"


@pytest.mark.parametrize(
    ("plan", "allowed"),
    [
        ("Mighty", [SESSIONS, ACTIVITY]),
        ("Enterprise Plus", [SESSIONS, LOG, FILES, ACTIVITY, PENDING]),
        ("Platinum", [SESSIONS]),
        ("", [SESSIONS, LOG, FILES, ACTIVITY, PENDING]),
    ],
)
def test_a_plan_decides(connection, log, plan, allowed):
    log.let_in()
    log.describe_account(plan=plan)
    for need in (SESSIONS, LOG, FILES, ACTIVITY, PENDING):
        if need in allowed:
            authorize(connection, (log.account,), VIEWER, need)
        else:
            with pytest.raises(Refused, match=f"plan '{plan}'"):
                authorize(connection, (log.account,), VIEWER, need)


def test_another_plan_hides_and_shows_at_once(connection, log):
    log.let_in()
    for plan, allowed in (("Scale", True), ("Mighty", False), ("Scale Plus", True)):
        log.describe_account(plan=plan)
        if allowed:
            authorize(connection, (log.account,), VIEWER, LOG)
        else:
            with pytest.raises(Refused, match="does not have the audit log") as error:
                authorize(connection, (log.account,), VIEWER, LOG)
            assert "all events are kept" in error.value.remedy


def test_the_plan_of_each_account_counts(connection, log, other):
    log.let_in()
    other.let_in()
    log.describe_account(plan="Scale")
    other.describe_account(plan="Mighty")
    with pytest.raises(Refused, match=other.account):
        authorize(connection, (log.account, other.account), VIEWER, LOG)
