"""From the installation to the first event: pip install auditlane-producers; AUDIT_KAFKA=host:port."""

from audit_producers import Actor, Recorder, Settings

audit = Recorder(Settings.from_env(service="helpdesk"))
audit.set_account("acme", name="Acme Ltd", zone="Europe/Berlin")

contact = {"id": 42, "phone": "+49 30 1234"}
audit.register(dict, type="contact")
audit.bind(account="acme", actor=Actor.agent("7", name="Ann Lee"))
with audit.tracking(contact, reason="ticket 4711"):
    contact["phone"] = "+49 30 9876"

print(audit.flush(timeout=10), "events wait for their acknowledgement")
