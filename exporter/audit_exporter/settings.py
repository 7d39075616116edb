"""Where the reader finds ClickHouse, and who reads unless a command says otherwise."""

from pathlib import Path

from pydantic import Field

from audit_schemas.catalogue import CatalogueSettings
from audit_schemas.own_events import OperatorSettings
from audit_schemas.settings import ClickHouseSettings


class ReaderSettings(ClickHouseSettings, CatalogueSettings, OperatorSettings):
    """The settings of `audit log` and `audit export`."""

    account: str = Field(default="", description="the account to read, where --account is not given")
    viewer: str = Field(
        default="", validation_alias="AUDIT_AS", description="who reads, where --as is not given"
    )
    kafka: str = Field(default="", description="bootstrap servers, by which the log is told who reads it")
    plans: Path | None = Field(
        default=None, description="a file that says which plan has which log, in place of Auditlane's own"
    )
