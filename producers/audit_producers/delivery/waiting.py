"""Waiting for Kafka as long as it does something."""

from audit_producers.delivery.base import Delivery
from audit_schemas.errors import Unreachable


def wait_until_acknowledged(delivery: Delivery, patience: float) -> None:
    """Wait until all is acknowledged, as long as something is.

    Raises:
        Unreachable: nothing was acknowledged for `patience` seconds.
    """
    seen = -1
    while left := delivery.flush(patience):
        if delivery.stats.acknowledged == seen:
            raise Unreachable(f"Kafka has acknowledged nothing for {patience:g} s, {left:,} events wait")
        seen = delivery.stats.acknowledged
