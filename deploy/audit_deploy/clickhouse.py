"""The stack's ClickHouse: its configuration, its users and how to reach it.

One server on one node: no replication, so what it acknowledges lies on one disk.
"""

import hashlib
import json
import os
import secrets
import socket
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from audit_deploy import ports

ADMIN = "audit_admin"
"""May do everything: migrations, the workers, the commands."""

READER = "audit_reader"
"""May read the database `audit`: for looking around at /play."""

# The engine's own session logs in under this name, from this machine and without a password. So it may
# do what that session must, begin to listen and read numbers for as long as it serves, and nothing else.
_ENGINE = "default"
_ENGINE_GRANTS = ("GRANT SYSTEM LISTEN ON *.*", "GRANT SELECT ON system.numbers")


@dataclass(frozen=True)
class User:
    """A log-in of users.xml, which clusters' servers understand as well."""

    name: str
    password: str
    """Empty: none is asked for."""
    profile: str
    grants: tuple[str, ...] = ()
    """Empty: everything is granted."""


def config_xml(*, port: int, http_port: int) -> str:
    """The server's configuration."""
    return _document(
        {
            "display_name": "audit (embedded, one node)",
            "listen_host": ports.HOST,
            "tcp_port": port,
            "http_port": http_port,
            "users_config": "users.xml",
            # As in a full server's own configuration: system tables are for those who are granted them.
            "access_control_improvements": {"select_from_system_db_requires_grant": "true"},
            "logger": {"console": 1},
            # Where the engine looks for it; a full server reads logger.level.
            "log-level": "warning",
        }
    )


def users_xml(users: list[User]) -> str:
    """The users' configuration; passwords only as their sums."""
    return _document(
        {
            "profiles": {"default": {}, "reader": {"readonly": 2}},
            "quotas": {"default": {}},
            "users": {user.name: _user(user) for user in users},
        }
    )


def configure(folder: Path, passwords: dict[str, str], *, port: int, http_port: int) -> None:
    """Write the configuration below a folder."""
    users = [
        User(_ENGINE, "", "default", _ENGINE_GRANTS),
        User(ADMIN, passwords[ADMIN], "default"),
        User(READER, passwords[READER], "reader", ("GRANT SELECT ON audit.*", "GRANT SELECT ON system.*")),
    ]
    users_folder(folder).mkdir(mode=0o700, exist_ok=True)
    (folder / "config.xml").write_text(config_xml(port=port, http_port=http_port))
    (folder / "users.xml").write_text(users_xml(users))


def users_folder(folder: Path) -> Path:
    """Where further log-ins are added as files, as in a full server's configuration."""
    return folder / "users.d"


def passwords(file: Path) -> dict[str, str]:
    """The password of each user; made the first time, in a file for the owner alone."""
    known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    missing = {ADMIN, READER} - known.keys()
    if missing:
        known |= {name: secrets.token_urlsafe(18) for name in sorted(missing)}
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as writable:  # noqa: PTH123
            json.dump(known, writable)
    return known


def command(folder: Path, credentials: Path, *, http_port: int) -> list[str]:
    """The command that runs the server."""
    arguments = [str(folder), str(credentials), str(http_port)]
    return [sys.executable, "-m", "audit_deploy.clickhouse_server", *arguments]


def execute(query: str, password: str, *, http_port: int) -> None:
    """Run a query as the administrator.

    Raises:
        OSError: the server does not answer, or refuses.
    """
    headers = {"X-ClickHouse-User": ADMIN, "X-ClickHouse-Key": password}
    request = urllib.request.Request(f"http://{ports.HOST}:{http_port}/", query.encode(), headers)
    urllib.request.urlopen(request, timeout=5).close()  # noqa: S310 - always http


def url(password: str, *, port: int, http_port: int) -> str:
    """How clients reach the database as the administrator."""
    return f"clickhouse://{ADMIN}:{password}@{ports.HOST}:{port}/audit?http_port={http_port}"


def play_url(http_port: int) -> str:
    """ClickHouse's own page for queries, as the reader."""
    return f"http://{ports.HOST}:{http_port}/play?user={READER}"


def unready(port: int, http_port: int) -> str | None:
    """Why the server does not answer yet, or nothing."""
    try:
        socket.create_connection((ports.HOST, port), timeout=1).close()
        urllib.request.urlopen(f"http://{ports.HOST}:{http_port}/ping", timeout=2).close()
    except urllib.error.URLError as error:
        return f"port {http_port}: {error.reason}"
    except OSError as error:
        return f"port {port}: {error.strerror or error}"
    return None


def _user(user: User) -> dict[str, Any]:
    password: dict[str, Any] = (
        {"password_sha256_hex": hashlib.sha256(user.password.encode()).hexdigest()}
        if user.password
        else {"no_password": {}}
    )
    described: dict[str, Any] = {**password, "profile": user.profile, "quota": "default"}
    described["networks"] = {"ip": ports.HOST}
    if user.grants:
        described["grants"] = {"query": list(user.grants)}
    return described


def _document(content: dict[str, Any]) -> str:
    root = ET.Element("clickhouse")
    _fill(root, content)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _fill(element: ET.Element, content: dict[str, Any]) -> None:
    for name, value in content.items():
        for one in value if isinstance(value, list) else [value]:
            child = ET.SubElement(element, name)
            if isinstance(one, dict):
                _fill(child, one)
            else:
                child.text = str(one)
