"""A log-in as a file of the server's configuration, and back: all that is known of one is in its file."""

from typing import Any
from xml.etree import ElementTree as ET

from audit_schemas.errors import Invalid
from audit_sinks.users.limits import LIMITS
from audit_sinks.users.objects import OF_AN_ACCOUNT, grants, row_filters
from audit_sinks.users.roles import Role, User
from audit_sinks.users.row_filter import read_accounts, row_filter

_ROLE = "audit_role_"
"""Begins the names of profiles and quotas; the role's ends them."""
_ANYWHERE = "::/0"


def render(user: User, database: str) -> str:
    """The file of a log-in, with the profile and the quota of its role.

    Each file has them, with the same content in all: the server merges them, and no file needs another.

    Args:
        user: who logs in.
        database: where Auditlane's tables are.
    """
    root = ET.Element("clickhouse")
    shared = f"{_ROLE}{user.role.value}"
    limits = LIMITS[user.role]
    bounds = {name: {"min": 1, "max": most} for name, most in limits.most.items()}
    constraints = bounds | {name: {"readonly": ""} for name in limits.fixed}
    interval = {"duration": 3600, **limits.quota}
    named: dict[str, Any] = {
        "password_sha256_hex": user.password_sha256,
        "profile": shared,
        "quota": shared,
        "networks": {"ip": _ANYWHERE},
        "grants": {"query": list(grants(user.role, database))},
    }
    if user.accounts:
        filters = row_filters(row_filter(user.accounts), database)
        named["databases"] = {
            name: {table: {"filter": condition} for table, condition in tables.items()}
            for name, tables in filters.items()
        }
    _fill(
        root,
        {
            "profiles": {shared: {**limits.most, **limits.fixed, "constraints": constraints}},
            "quotas": {shared: {"interval": interval}},
            "users": {user.name: named},
        },
    )
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def parse(text: str) -> User:
    """The log-in of a file that `render` made.

    Raises:
        Invalid: it did not.
    """
    try:
        (named,) = ET.fromstring(text).findall("users/*")  # noqa: S314 - whoever writes the server's configuration owns it
        role = Role(named.findtext("profile", "").removeprefix(_ROLE))
    except (ET.ParseError, ValueError) as error:
        raise Invalid(f"this is no file of `audit user`: {error}") from None
    condition = named.findtext(f"databases/*/{OF_AN_ACCOUNT[0]}/filter")
    accounts = read_accounts(condition) if condition is not None else ()
    return User(named.tag, role, named.findtext("password_sha256_hex", ""), accounts)


def _fill(element: ET.Element, content: dict[str, Any]) -> None:
    for name, value in content.items():
        for one in value if isinstance(value, list) else [value]:
            child = ET.SubElement(element, name)
            if isinstance(one, dict):
                _fill(child, one)
            else:
                child.text = str(one)
