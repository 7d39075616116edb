"""From the installation to the first event: pip install auditlane-producers; AUDIT_KAFKA=host:port."""

from dataclasses import dataclass

from audit_producers import Actor, Recorder, Settings


@dataclass
class Contact:
    """A class of the service's own."""

    id: int
    phone: str


audit = Recorder(Settings.from_env(service="helpdesk"))
audit.bind(account="acme", actor=Actor.agent("7", name="Ann Lee"))

contact = Contact(id=42, phone="+49 30 1234")
with audit.tracking(contact, reason="ticket 4711"):
    contact.phone = "+49 30 9876"

print(audit.flush(timeout=10), "events wait for their acknowledgement")
