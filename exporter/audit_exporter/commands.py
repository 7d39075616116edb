"""What the exporter contributes to the command `audit`."""

from audit_exporter.export_commands import export
from audit_exporter.log_commands import log
from audit_exporter.sql import sql

__all__ = ["export", "log", "sql"]
