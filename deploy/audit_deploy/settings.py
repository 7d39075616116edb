"""What a stack can be told, by options or by variables of the environment."""

from pathlib import Path

import platformdirs
from pydantic import Field

from audit_schemas.settings import Settings


class StackSettings(Settings):
    """The defaults of `audit stack`; its options win over the variables."""

    window: str = Field(default="3h", pattern=r"^[1-9][0-9]*[smhd]$")
    """AUDIT_WINDOW, as the workers read it."""
    stack_data_dir: Path = Field(default_factory=lambda: platformdirs.user_data_path("auditlane") / "stack")
    """One stable place for each user, so that every terminal finds the same stack."""
    stack_kafka_port: int | None = Field(default=None, ge=1, le=65535)
    stack_clickhouse_port: int | None = Field(default=None, ge=1, le=65535)
    stack_clickhouse_http_port: int | None = Field(default=None, ge=1, le=65535)
