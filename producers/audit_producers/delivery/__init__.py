"""Where records go: Kafka, the console, or memory, behind one interface."""

from audit_producers.delivery.base import Delivery, OnUndelivered, Record, Stats
from audit_producers.delivery.choice import open_delivery
from audit_producers.delivery.console import ConsoleDelivery
from audit_producers.delivery.kafka import KafkaDelivery
from audit_producers.delivery.memory import MemoryDelivery
from audit_producers.delivery.waiting import wait_until_acknowledged

__all__ = [
    "ConsoleDelivery",
    "Delivery",
    "KafkaDelivery",
    "MemoryDelivery",
    "OnUndelivered",
    "Record",
    "Stats",
    "open_delivery",
    "wait_until_acknowledged",
]
