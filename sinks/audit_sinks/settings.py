"""The settings of the sink, read from the environment once, at the entry point."""

from pydantic import Field

from audit_schemas.settings import ClickHouseSettings, KafkaSettings
from audit_schemas.topics import MIB


class Servers(KafkaSettings, ClickHouseSettings):
    """Kafka and ClickHouse, for commands that look at both."""


class SinkSettings(Servers):
    """What `audit sink run` can be told."""

    http_port: int = Field(default=0, description="port of /healthz, /readyz and /metrics; 0: any")
    sink_rows: int = Field(
        default=100_000,
        ge=1,
        le=1_048_576,
        description="rows that close a batch; the server splits larger ones",
    )
    sink_bytes: int = Field(default=32 * MIB, ge=1, description="bytes of messages that close a batch")
    sink_lanes: int = Field(default=2, ge=1, le=16, description="blocks that are inserted side by side")
    sink_linger_seconds: float = Field(
        default=0.5, gt=0, description="seconds after its first row that close a batch"
    )
    sink_instance: str = Field(
        default="",
        description="a name that this worker keeps over restarts: it gets its partitions back at once",
    )
    sink_refusal_limit: int = Field(
        default=10_000,
        ge=0,
        description="records refused in a row, or of one batch, before the sink stops; 0: any number",
    )
    kill_point: str = Field(default="none", description="for tests: where to end this process")
