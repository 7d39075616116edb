"""The catalogue of metrics as a table, whatever each is defined by."""

from dataclasses import dataclass

from prometheus_client.metrics import MetricWrapperBase

from audit_schemas import metrics


@dataclass(frozen=True)
class Entry:
    constant: str
    """Its name in `audit_schemas.metrics`."""
    name: str
    kind: str
    labels: tuple[str, ...]
    documentation: str

    @property
    def series(self) -> set[str]:
        """The names that a query may use."""
        return (
            {f"{self.name}_{end}" for end in ("bucket", "count", "sum")}
            if self.kind == "histogram"
            else {self.name}
        )

    @property
    def row(self) -> str:
        """As the runbook shows it."""
        return f"| `{self.name}` | {self.kind} | {', '.join(self.labels)} | {self.documentation} |"


def entry(constant: str) -> Entry | None:
    found = getattr(metrics, constant)
    if isinstance(found, metrics.Observed):
        return Entry(constant, found.name, "gauge", found.labels, found.documentation)
    if isinstance(found, MetricWrapperBase):
        (family,) = found.describe()
        name = family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")
        return Entry(constant, name, family.type, tuple(found._labelnames), family.documentation)
    return None


CATALOGUE = [found for constant in vars(metrics) if (found := entry(constant))]
