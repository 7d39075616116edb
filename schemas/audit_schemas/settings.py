"""Where Kafka and ClickHouse are, as typed settings that are read once at an entry point."""

from typing import Annotated, Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from audit_schemas.errors import Misconfigured

_PREFIX = "AUDIT_"


class ClickHouse(BaseModel):
    """One ClickHouse server and the user that we are there."""

    model_config = ConfigDict(frozen=True)

    host: str
    port: int = 9000
    http_port: int = 8123
    user: str = "default"
    password: SecretStr = SecretStr("")
    database: str = Field(default="audit", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Read `clickhouse://user:password@host:9000/database?http_port=8123`.

        Raises:
            ValueError: when it is not such a URL.
        """
        parts = urlsplit(url)
        if parts.scheme != "clickhouse" or not parts.hostname:
            raise ValueError("must look like clickhouse://user:password@host:9000/audit?http_port=8123")
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if unknown := query.keys() - {"http_port"}:
            raise ValueError(f"does not know {', '.join(sorted(unknown))}")
        return cls(
            host=parts.hostname,
            port=parts.port or 9000,
            http_port=int(query.get("http_port", 8123)),
            user=unquote(parts.username or "default"),
            password=SecretStr(unquote(parts.password or "")),
            database=parts.path.strip("/") or "audit",
        )


class Settings(BaseSettings):
    """The base of every part's settings: from the environment, with the prefix AUDIT_."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="ignore")

    @classmethod
    def load(cls, **given: Any) -> Self:
        """Read the settings from the environment; what is given wins.

        Raises:
            Misconfigured: naming each variable that is missing or wrong, never a value's secret.
        """
        try:
            return cls(**given)
        except ValidationError as error:
            faults = [
                f"{_variable(fault['loc'])}: {fault['msg'].removeprefix('Value error, ')}"
                for fault in error.errors(include_url=False, include_input=False)
            ]
            raise Misconfigured(
                "; ".join(faults),
                remedy="set it in the environment; beside the embedded stack `audit stack status` prints it",
            ) from None


def _variable(location: tuple[int | str, ...]) -> str:
    return _PREFIX + "_".join(map(str, location)).upper()


class KafkaSettings(Settings):
    """Where Kafka is."""

    kafka: str = Field(min_length=1, description="bootstrap servers: host:port, separated by commas")


class ClickHouseSettings(Settings):
    """Where ClickHouse is."""

    clickhouse: Annotated[ClickHouse, NoDecode] = Field(
        description="clickhouse://user:password@host:9000/audit?http_port=8123"
    )

    @field_validator("clickhouse", mode="before")
    @classmethod
    def _read_url(cls, value: object) -> object:
        return ClickHouse.from_url(value) if isinstance(value, str) else value
