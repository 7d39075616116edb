"""Which contact is meant: its id, or the e-mail address that it has or had."""

from audit_exporter.clickhouse import Connection
from audit_exporter.contact_search import Email, Search, find
from audit_exporter.contacts import Contact
from audit_exporter.filters import Filter
from audit_exporter.visible import visible
from audit_schemas.catalogue import ContactFields
from audit_schemas.errors import Invalid

_LISTED = 10
_HOLDERS = 1000
"""So many contacts may once have had one address."""


def contact_id(
    connection: Connection, accounts: tuple[str, ...], who: str, fields: ContactFields, *, pending: bool
) -> str:
    """The id of the contact that is meant.

    Args:
        connection: where to ask.
        accounts: whose contact.
        who: an id, or an e-mail address, known by its @.
        fields: which of a contact's fields hold its addresses.
        pending: look into changes as well that are not in the activity yet.

    Raises:
        Invalid: several have the address, or had it.
    """
    if "@" not in who:
        return who
    search = Search(Filter(accounts=accounts), Email(who, fields.email), fields, pending=pending)
    holders = find(connection, search, _HOLDERS)
    # Some services know their contacts by their addresses: what nobody has as an address may be an id.
    return chosen(who, holders).contact_id if holders else who


def chosen(address: str, contacts: list[Contact]) -> Contact:
    """Of those that have or had an address the one that has it now, else the only one that had it.

    Raises:
        Invalid: there are several; lists them.
    """
    holders = [contact for contact in contacts if contact.has_match_now]
    candidates = holders or contacts
    if len(candidates) > 1:
        verb = "have" if holders else "had"
        raise Invalid(
            f"{len(candidates):,} contacts {verb} the e-mail address {address!r}: {_listed(candidates)}",
            remedy="name one by its id",
        )
    return candidates[0]


def _listed(contacts: list[Contact]) -> str:
    named = [visible(f"{contact.contact_id} ({contact.name})") for contact in contacts[:_LISTED]]
    more = [f"{len(contacts) - _LISTED:,} more"] if len(contacts) > _LISTED else []
    return ", ".join(named + more)
