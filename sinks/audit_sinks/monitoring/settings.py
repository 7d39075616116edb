"""The settings of the monitor, read from the environment once, at the entry point."""

from pydantic import Field

from audit_sinks.settings import Servers


class MonitorSettings(Servers):
    """What `audit monitor run` can be told."""

    http_port: int = Field(default=0, ge=0, le=65535, description="of /healthz, /readyz and /metrics; 0: any")
    monitor_seconds: float = Field(default=15, gt=0, le=3600, description="between two looks")
    monitor_verify_seconds: float = Field(
        default=900, gt=0, description="between two runs of `audit verify`'s checks"
    )
    monitor_verify_hours: float = Field(
        default=25,
        gt=0,
        description="how far back they look; the longest window and an hour, so that no window is left out",
    )
