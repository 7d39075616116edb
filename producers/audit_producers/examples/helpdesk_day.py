"""A scripted day of a helpdesk, recorded through the SDK as a service would.

Prints what it did as JSON. Run it with: python -m audit_producers.examples.helpdesk_day
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from audit_producers import Actor, Principal, Recorder, Settings, Target
from audit_producers.examples.helpdesk_models import (
    Agent,
    Channel,
    Contact,
    CustomField,
    Role,
    SlaPolicy,
    SmartRule,
)
from audit_schemas.event import Origin
from audit_schemas.permissions import Permission

ACCOUNT = "northwind"
ZONE = ZoneInfo("Europe/Berlin")
FORMER_PHONE = "+34 600 555 010"


class Day:
    """The clock of the script: yesterday, as the helpdesk's people see it."""

    def __init__(self) -> None:
        yesterday = datetime.now(ZONE).date() - timedelta(days=1)
        self.begin = datetime.combine(yesterday, time(), ZONE)
        self.end = datetime.combine(yesterday + timedelta(days=1), time(), ZONE)
        self.now = self.begin

    def at(self, hours_minutes: str) -> None:
        """Let it be so late; a second passes with each event anyway."""
        self.now = datetime.combine(self.begin.date(), time.fromisoformat(hours_minutes), ZONE)

    def __call__(self) -> datetime:
        """The time now, a second later than when it was last asked for."""
        self.now += timedelta(seconds=1)
        return self.now


class Helpdesk:
    """The service: what its code would do when these people use it."""

    def __init__(self, audit: Recorder, day: Day) -> None:
        self.audit = audit
        self.day = day
        self.ada = Agent("1", "Ada Lovelace", "ada@northwind.example", role="Administrator")
        self.grace = Agent("2", "Grace Hopper", "grace@northwind.example")
        self.linus = Agent("3", "Linus Pauling", "linus@northwind.example")
        self.maria = Contact("501", "María García", "maria@example.com", phone=FORMER_PHONE)
        self.wei = Contact("502", "李伟", "wei@example.cn")

    @contextmanager
    def request(self, agent: Agent, address: str, at: str) -> Iterator[None]:
        """A request of an agent: a middleware would put this context in place."""
        self.day.at(at)
        actor = Actor.admin if agent is self.ada else Actor.agent
        origin = Origin(
            address=address,
            ip_trust="peer",
            user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            session=f"session-{agent.id}",
            via="web",
        )
        who = actor(agent.id, name=agent.name, email=agent.email)
        with self.audit.context(account=ACCOUNT, actor=who, origin=origin):
            yield

    def morning(self) -> None:
        """Agents sign in, one of them at the third attempt."""
        audit = self.audit
        with self.request(self.ada, "198.51.100.17", "07:58"):
            audit.logged_in()
            with audit.tracking(self.ada):
                self.ada.availability = "online"
        with self.request(self.grace, "2001:db8:85a3::8a2e:370:7334", "08:03"):
            audit.login_failed(why="wrong password")
            audit.login_failed(why="wrong password")
            audit.logged_in()
            with audit.tracking(self.grace):
                self.grace.availability = "online"
            with audit.tracking(self.grace):
                self.grace.signature = "Grace Hopper\nNorthwind Support"
            with audit.tracking(self.grace):
                self.grace.password = "a better one"  # noqa: S105
        self.day.at("08:10")
        audit.login_failed(
            Actor(name="root"),
            account=ACCOUNT,
            origin=Origin(address="203.0.113.99:51234", via="web"),
            why="no such agent",
        )

    def administration(self) -> None:
        """The administrator changes rules, roles, channels and fields."""
        audit, escalate = self.audit, SmartRule("31", "Escalate VIP", position=4)
        supervisor = Role("r-2", "Supervisor", ["View tickets", "View Audit logs"])
        with self.request(self.ada, "198.51.100.17", "09:15"):
            with audit.tracking(escalate):
                escalate.position = 1
            with audit.tracking(SmartRule("32", "Close stale tickets", position=9)) as stale:
                stale.is_active = False
            with audit.tracking(supervisor, reason="ticket 4711"):
                supervisor.permissions = [*supervisor.permissions, "Delete tickets"]
            with audit.tracking(self.linus):
                self.linus.role = "Supervisor"
            audit.created(Channel("c-7", "Returns", "returns@northwind.example"))
            with audit.tracking(SlaPolicy("s-1", "Gold", first_reply_minutes=60)) as gold:
                gold.first_reply_minutes = 30
            with audit.tracking(CustomField("f-3", "Tier", ["silver", "gold"])) as tier:
                tier.options = ["silver", "gold", "=platinum"]
            audit.record("create", Target(type="webhook", id="w-1", name="Order events"))
            audit.record("update", Target(type="two_factor_policy", id=ACCOUNT, name="Two-factor sign-in"))
            audit.record("create", Target(type="brand", id="b-2", name="Southwind"))
            audit.record("create", Target(type="custom_domain", id="d-1", name="help.northwind.example"))
            audit.record("update", Target(type="notification", id="n-4", name="New ticket"))
            audit.record("update", Target(type="assignment_rule", id="a-1", name="Round robin"))
            audit.record("create", Target(type="category", id="k-9", name="Warranty"))
            audit.record("update", Target(type="account_settings", id=ACCOUNT, name="Business hours"))

    def contacts(self) -> None:
        """A contact is created and changed by an agent."""
        audit = self.audit
        with self.request(self.grace, "2001:db8:85a3::8a2e:370:7334", "10:20"):
            audit.created(self.maria)
            with audit.tracking(self.maria, reason="ticket 4712"):
                self.maria.phone = "+34 600 555 099"
            with audit.tracking(self.maria):
                self.maria.custom_fields["tier"] = "gold"
                self.maria.company = "García & Hijos"

    def sync(self) -> None:
        """Azure AD hands over what it knows of the contacts."""
        audit = self.audit
        self.day.at("12:00")
        origin = Origin(address="azure-ad-sync", via="sync", batch="azure-ad-2041")
        actor = Actor.integration("azure-ad", name="Azure AD")
        with audit.context(account=ACCOUNT, actor=actor, origin=origin):
            audit.created(self.wei)
            with audit.tracking(self.maria):
                self.maria.name = "María García López"

    def bulk_import(self) -> None:
        """Linus uploads a file of contacts; one of them is known already."""
        audit = self.audit
        self.day.at("13:30")
        origin = Origin(address="10.3.7.21", via="import", batch="import-88")
        behind = Principal(type="agent", id=self.linus.id, name=self.linus.name, email=self.linus.email)
        actor = Actor.integration("import", name="Bulk import", behind=behind)
        with audit.context(account=ACCOUNT, actor=actor, origin=origin):
            for number in range(3):
                audit.created(
                    Contact(str(600 + number), f"Imported {number}", f"imported{number}@example.com")
                )
            with audit.tracking(self.maria):
                self.maria.custom_fields["tier"] = "platinum"

    def evening(self) -> None:
        """Something is deleted, somebody looks, somebody leaves."""
        audit = self.audit
        with self.request(self.linus, "198.51.100.44", "16:45"):
            audit.logged_in()
            audit.viewed(self.maria)
            audit.deleted(Contact("499", "Duplicate", "dup@example.com"))
            audit.record(
                "delete",
                Target(type="role", id="r-9", name="Interns"),
                outcome="failure",
                outcome_reason="the role has agents",
            )
            audit.logged_out()
        with self.request(self.ada, "198.51.100.17", "18:02"):
            audit.logged_out()


def people(audit: Recorder, desk: Helpdesk) -> None:
    """The directory: who may read what, and in which zone. Grace has what every agent has."""
    audit.set_account(ACCOUNT, name="Northwind Traders", plan="Enterprise Plus", zone=ZONE.key)
    audit.set_actor(
        ACCOUNT,
        desk.ada.id,
        type="admin",
        name=desk.ada.name,
        email=desk.ada.email,
        permissions=(Permission.EXPORT,),
    )
    audit.set_actor(ACCOUNT, desk.grace.id, name=desk.grace.name, email=desk.grace.email)
    audit.set_actor(
        ACCOUNT,
        desk.linus.id,
        name=desk.linus.name,
        email=desk.linus.email,
        permissions=(Permission.VIEW,),
    )


def main(settings: Settings, say: Callable[[str], object] = print) -> int:
    """Record the day; returns how many records were not acknowledged."""
    day = Day()
    audit = Recorder(settings, clock=day)
    desk = Helpdesk(audit, day)
    people(audit, desk)
    for part in (desk.morning, desk.administration, desk.contacts, desk.sync, desk.bulk_import, desk.evening):
        part()
    left = audit.flush(30)
    told = {
        "account": ACCOUNT,
        "actors": [desk.ada.id, desk.grace.id, desk.linus.id],
        "viewer": desk.ada.id,
        "agent": desk.grace.id,
        "contact": desk.maria.id,
        "former_phone": FORMER_PHONE,
        "since": day.begin.isoformat(),
        "until": day.end.isoformat(),
        "events": audit.stats.acknowledged,
    }
    audit.close()
    say(json.dumps(told))
    return left


if __name__ == "__main__":
    sys.exit(1 if main(Settings.from_env(service="helpdesk")) else 0)
