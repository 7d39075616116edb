"""What the exporter contributes to the command `audit`."""

import logging

from audit_exporter.contact_commands import contact
from audit_exporter.export_commands import export
from audit_exporter.log_commands import log
from audit_exporter.session_commands import session
from audit_exporter.sql import sql

__all__ = ["contact", "export", "log", "session", "sql"]

# The driver logs every refused connection with a traceback; the error that follows says it in a line.
logging.getLogger("clickhouse_driver").addHandler(logging.NullHandler())
