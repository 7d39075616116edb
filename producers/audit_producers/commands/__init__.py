"""The commands that the SDK contributes: publish, import, account and actor."""

from audit_producers.commands.directory import account, actor
from audit_producers.commands.history import import_history
from audit_producers.commands.publish import publish

__all__ = ["account", "actor", "import_history", "publish"]
