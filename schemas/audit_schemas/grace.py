"""How long what is due may take before it counts as overdue or missing: one definition for all who watch."""

from datetime import timedelta

GRACE = timedelta(seconds=60)
"""From a window's end, or an import's receipt, to its being in the contact's activity."""
