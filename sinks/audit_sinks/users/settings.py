"""What `audit user` is told by the environment."""

from pathlib import Path

from pydantic import Field

from audit_schemas.settings import ClickHouseSettings


class UserSettings(ClickHouseSettings):
    """The server, and where it reads its users."""

    clickhouse_users: Path = Field(
        description="the folder users.d beside the server's users.xml, as /etc/clickhouse-server/users.d"
    )
