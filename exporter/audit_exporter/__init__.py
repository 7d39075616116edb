"""Auditlane's reader: the audit log on the terminal, as CSV and as XLSX."""
