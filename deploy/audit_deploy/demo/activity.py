"""Shows what happened to one contact, as an agent of the helpdesk may see it."""

from audit_deploy.demo.publishing import Look, Published
from audit_deploy.demo.runner import Runner

_LIMIT = "20"

# Not one whose id would be taken for an e-mail address or an option.
_BUSIEST = """
SELECT account_id, contact_id
FROM contact_activity
WHERE contact_id NOT LIKE '%@%' AND contact_id NOT LIKE '-%'
GROUP BY account_id, contact_id
ORDER BY count() DESC, account_id, contact_id
LIMIT 1
"""


def show_activity(run: Runner, published: Published) -> None:
    """Show the activity of the contact that the day is about, else of the one with most changes."""
    look = published.look or _busiest(run, published.viewer)
    if look is None:
        return
    who = ("--account", look.account, "--as", look.viewer)
    if look.former_phone:
        run.shown("contact", "find", look.former_phone, *who)
    run.shown("contact", "activity", look.contact, *who, "--limit", _LIMIT)


def _busiest(run: Runner, viewer: str) -> Look | None:
    for row in run.json("sql", _BUSIEST):
        return Look(row["account_id"], viewer, row["contact_id"])
    return None
