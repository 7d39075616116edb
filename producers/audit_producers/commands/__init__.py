"""The commands that the SDK contributes: publish, account and actor."""

from audit_producers.commands.directory import account, actor
from audit_producers.commands.publish import publish

__all__ = ["account", "actor", "publish"]
