"""The sentences that people read, module by module: look at them when they change."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from audit_schemas.catalogue import catalogue
from audit_schemas.enriched import EnrichedChange
from audit_schemas.event import Change, Event, Target
from audit_schemas.json_text import to_json_text
from audit_schemas.wording.description import describer
from audit_schemas.wording.module import module_rules

describe = describer(catalogue())
decide = module_rules(catalogue())
HIDDEN = "5tr0ng-5ecret"
ABSENT = object()


def text_of(value: Any) -> str:
    return "" if value is ABSENT else bytes(to_json_text(value)).decode()


def subject(target_type: str, name: str, action: str = "update", **given: Any) -> Event:
    return Event(
        id=UUID(int=7 << 76 | 2 << 62),
        account="acme",
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        action=action,
        target=Target(type=target_type, id="1", name=name),
        **given,
    )


def sentence(target_type: str, name: str, field: str, old: Any, new: Any) -> tuple[str, str]:
    made = EnrichedChange(field=field, old=text_of(old), new=text_of(new))
    return describe(subject(target_type, name), [made])


GOLDEN = [
    ("agents", "agent", "Linus", "role", {"id": 1, "name": "Agent"}, {"id": 2, "name": "Supervisor"},
     "Changed Role of agent Linus from Agent to Supervisor"),
    ("agents", "group", "Billing", "members", [{"id": 1, "name": "Ada"}],
     [{"id": 1, "name": "Ada L."}, {"id": 2, "name": "Grace"}], "Added Grace to group Billing"),
    ("agents", "agent", "Grace", "is_owner", False, True, "Made Grace the account owner"),
    ("roles_and_permissions", "role", "Supervisor", "permissions", ["View tickets"],
     ["View tickets", "Delete tickets"], "Gave role Supervisor the permission Delete tickets"),
    ("roles_and_permissions", "role", "Interns", "permissions", ["a", "b", "c"], ["a"],
     "Took the permissions b, c from role Interns"),
    ("my_settings", "profile", "Grace", "full_name", "Grace", "Grace Hopper",
     "Changed own Full name from Grace to Grace Hopper"),
    ("my_settings", "personal_preference", "Grace", "undo_send", 5, 30,
     "Changed Time to undo sending of preference Grace from 5 seconds to 30 seconds"),
    ("login_and_logout", "trusted_device", "iPhone", "platform", ABSENT, "iOS",
     "Set Platform of trusted device iPhone to iOS"),
    ("agent_availability", "agent", "Grace", "status", "online", "away",
     "Changed Status of agent Grace from Online to Away"),
    ("agent_availability", "agent_availability", "Grace", "accepts_chats", True, False,
     "Turned off Taking chats of Grace"),
    ("channels", "mailbox", "Support", "forward_to", None, "help@example.com",
     "Set Forwarding address of mailbox Support to help@example.com"),
    ("channels", "mailbox", "Support", "password", "old", "new", "Changed Password of mailbox Support"),
    ("channels", "call_queue", "Sales", "max_wait", 90, 3600,
     "Changed Longest wait of call queue Sales from 1 minute 30 seconds to 1 hour"),
    ("categories", "category", "Returns", "default_priority", "low", "urgent",
     "Changed Default priority of category Returns from Low to Urgent"),
    ("categories", "category", "Returns", "is_public", True, False, "Hid category Returns from contacts"),
    ("account_settings", "account_settings", "acme", "time_zone", "UTC", "Europe/Berlin",
     "Changed Time zone of the account from UTC to Europe/Berlin"),
    ("account_settings", "billing", "acme", "price", {"amount": "49.00", "currency": "EUR"}, "59.00 EUR",
     "Changed Price of billing of acme from 49.00 EUR to 59.00 EUR"),
    ("account_settings", "business_hours", "Berlin", "days", ["mon", "sat"], ["mon"],
     "Removed Saturday from Working days of business hours Berlin"),
    ("security", "two_factor_policy", "Sign-in", "required", False, True, "Required two-factor sign-in"),
    ("security", "ip_allowlist", "Office", "ranges", [], ["192.0.2.0/24"],
     "Permitted sign-in from 192.0.2.0/24"),
    ("security", "password_policy", "Agents", "max_age", 90, 180,
     "Changed Longest use of password policy Agents from 90 days to 180 days"),
    ("smart_rules", "smart_rule", "Escalate VIP", "position", 4, 1,
     "Moved smart rule Escalate VIP from 4 to 1"),
    ("smart_rules", "smart_rule", "Stale", "is_active", True, False, "Deactivated smart rule Stale"),
    ("smart_rules", "smart_rule", "Stale", "conditions", ["open"], ["open", "older than 7 days"],
     "Added the condition older than 7 days to smart rule Stale"),
    ("smart_rules", "macro", "Thanks", "tags", ["a", "b"], ["b", "a"],
     "Changed the order of Tags of macro Thanks"),
    ("auto_assignment", "assignment_rule", "EU", "method", "round_robin", "skill_based",
     "Changed Method of assignment rule EU from Round robin to Skill based"),
    ("auto_assignment", "skill", "Spanish", "agents", [], ["Maria"], "Gave Maria the skill Spanish"),
    ("sla", "sla_policy", "Gold", "first_reply_minutes", 60, 30,
     "Changed First reply time of SLA policy Gold from 1 hour to 30 minutes"),
    ("notifications", "notification", "New ticket", "by_email", False, True,
     "Turned on E-mail of notification New ticket"),
    ("notifications", "notification_template", "Reply", "body", "<p>Hi</p>",
     "<style>p {}</style><p>Dear <b>{{name}}</b>,<br>thanks &amp; bye</p>",
     "Changed Text of notification template Reply from Hi to Dear {{name}} , thanks & bye"),
    ("custom_fields", "custom_field", "Tier", "options", ["silver"], ["silver", "gold"],
     "Added the option gold to custom field Tier"),
    ("custom_fields", "custom_field", "Tier", "options", ["a", "b"], ["b", "c", "d", "e", "f"],
     "Changed Options of custom field Tier: added c, d, e and 1 more, removed a"),
    ("contacts", "contact", "Ada", "phone", "+1 555 0100", "+1 555 0199",
     "Changed Primary phone number from +1 555 0100 to +1 555 0199"),
    ("contacts", "contact", "Ada", "company", {"id": 7, "name": "Initech"}, None,
     "Cleared Company, which was Initech"),
    ("contacts", "contact", "Ada", "custom_fields.loyalty_tier", "silver", "gold",
     "Changed Custom field loyalty tier from silver to gold"),
    ("contacts", "company", "Initech", "annual_revenue", ABSENT, {"amount": 1200000, "currency": "USD"},
     "Set Annual revenue of company Initech to 1200000 USD"),
    ("developer", "webhook", "X", "secret", "old", "new", "Changed API secret of webhook X"),
    ("developer", "webhook", "X", "events", ["a"], ["a", "ticket.created"],
     "Subscribed webhook X to ticket.created"),
    ("developer", "api_key", "ETL", "scopes", ["read", "write"], ["read"],
     "Took the scope write from API key ETL"),
    ("multi_brand", "brand", "Southwind", "is_default", False, True, "Made brand Southwind the default"),
    ("custom_domain", "certificate", "help", "valid_until",
     "2026-03-02T09:59:00Z", "2027-03-02T10:59:30.5+0100",
     "Changed Valid until of certificate help from 2026-03-02 09:59 UTC to 2027-03-02 10:59:30 +01:00"),
    ("custom_domain", "custom_domain", "help.acme.example", "force_https", False, True,
     "Turned on HTTPS required of custom domain help.acme.example"),
]  # fmt: skip


@pytest.mark.parametrize("row", GOLDEN, ids=[row[-1] for row in GOLDEN])
def test_what_changed_is_told_as_people_say_it(row: tuple[Any, ...]) -> None:
    module, target_type, name, field, old, new, expected = row
    assert expected == sentence(target_type, name, field, old, new)[1]
    assert module == decide(subject(target_type, name, changes=(Change(field=field),)))[0]


def test_the_table_shows_every_module() -> None:
    assert {row[0] for row in GOLDEN} == set(catalogue().modules)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("create", "Invited x@acme.example as an agent"),
        ("delete", "Withdrew the invitation of x@acme.example"),
    ],
)
def test_a_target_type_may_word_an_action_in_its_own_way(action: str, expected: str) -> None:
    key, told = describe(subject("agent_invitation", "x@acme.example", action), [])
    assert (f"agent_invitation.{action}", expected) == (key, told)


SECRETS = [
    (name, key)
    for name, target in catalogue().targets.items()
    for key, field in target.fields.items()
    if field.kind == "secret"
]


@pytest.mark.parametrize(("target_type", "field"), [*SECRETS, ("webhook", "headers.authorization")])
@pytest.mark.parametrize(
    ("old", "new"), [(HIDDEN, "other"), (None, HIDDEN), ([HIDDEN], {"id": HIDDEN}), (HIDDEN, "")]
)
def test_a_secret_shows_only_that_it_changed(target_type: str, field: str, old: Any, new: Any) -> None:
    key, told = sentence(target_type, "X", field, old, new)
    assert key.endswith("touched")
    assert HIDDEN not in told
