"""The deliveries by their names in the settings."""

from audit_producers.delivery.base import Delivery, OnUndelivered
from audit_producers.delivery.console import ConsoleDelivery
from audit_producers.delivery.kafka import KafkaDelivery
from audit_producers.delivery.memory import MemoryDelivery
from audit_producers.settings import DeliveryName, Settings
from audit_schemas.errors import Misconfigured


def open_delivery(
    chosen: DeliveryName | Delivery, settings: Settings, on_undelivered: OnUndelivered | None = None
) -> Delivery:
    """The delivery of a name; nothing is connected yet. A delivery is returned as it is.

    Raises:
        Misconfigured: Kafka is chosen, but not where it is.
    """
    match chosen:
        case "kafka":
            if not settings.kafka:
                raise Misconfigured("the delivery kafka needs AUDIT_KAFKA, host:port of Kafka's servers")
            return KafkaDelivery(settings, on_undelivered)
        case "console":
            return ConsoleDelivery()
        case "memory":
            return MemoryDelivery()
        case _:
            return chosen
