"""The events of the benchmark: a helpdesk's mix, the same in every run, 618 bytes each on average."""

import json
import random
import time
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from confluent_kafka import Producer

from audit_schemas.catalogue import catalogue
from audit_schemas.wire import decode_event, encode
from audit_stream_processors.enrichment.enrich import enricher

_TARGETS = ("contact", "agent", "smart_rule", "role", "channel", "custom_field", "sla_policy", "contact")
_WORDS = ("Billing", "Support", "Escalation", "VIP", "Night shift", "Returns", "Onboarding", "Trial")


def events(count: int, seed: int = 7) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of records for audit.changes; a quarter are contacts."""
    random_ = random.Random(seed)
    now_ms = int(time.time() * 1000) - count
    for number in range(count):
        kind = _TARGETS[number % len(_TARGETS)]
        account, target = f"account-{random_.randrange(200)}", f"{kind}-{random_.randrange(5000)}"
        yield f"{account}/{kind}/{target}".encode(), _event(random_, account, kind, target, now_ms + number)


def contact_changes(count: int, contacts: int, window: range, seed: int = 7) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of records for audit.contact-changes, as the processor makes them, of one window."""
    random_ = random.Random(seed)
    enrich = enricher(catalogue(), lambda _, actor: actor, window_seconds=len(window))
    received_at = datetime.fromtimestamp(window.start, UTC)
    for number in range(count):
        account, target = f"account-{random_.randrange(200)}", f"contact-{random_.randrange(contacts // 200)}"
        event, extra = decode_event(_event(random_, account, "contact", target, window.start * 1000 + number))
        yield f"{account}/contact/{target}".encode(), encode(enrich(event, extra, 0, number, received_at))


def _event(random_: random.Random, account: str, kind: str, target: str, at_ms: int) -> bytes:
    agent = random_.randrange(500)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_ms / 1000))
    return json.dumps(
        {
            "id": str(uuid.UUID(int=(at_ms << 80) | 0x7 << 76 | random_.getrandbits(64) | 1 << 63)),
            "account": account,
            "occurred_at": f"{moment}.{at_ms % 1000:03}Z",
            "action": "update",
            "target": {"type": kind, "id": target, "name": f"{random_.choice(_WORDS)} {target}"},
            "actor": {
                "type": "agent",
                "id": str(agent),
                "name": f"Agent {agent}",
                "email": f"agent{agent}@example.com",
            },
            "changes": [
                {"field": "name", "old": random_.choice(_WORDS), "new": random_.choice(_WORDS)},
                {"field": "priority", "old": random_.randrange(5), "new": random_.randrange(5)},
            ],
            "origin": {
                "address": f"203.0.{random_.randrange(256)}.{random_.randrange(1, 255)}",
                "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0",
                "session": f"s-{agent}",
                "via": "web",
            },
            "producer": {"service": "helpdesk", "instance": "bench", "sequence": 1},
        },
        separators=(",", ":"),
    ).encode()


def publish(bootstrap: str, topic: str, count: int) -> None:
    """Append the events to a topic, as fast as the broker takes them."""
    send(bootstrap, topic, events(count))


def send(bootstrap: str, topic: str, records: Iterable[tuple[bytes, bytes]], **headers: bytes) -> None:
    """Append keys and values to a topic, each with these headers."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "linger.ms": 20,
            "compression.type": "zstd",
            "enable.idempotence": True,
            "queue.buffering.max.messages": 1_000_000,
            "partitioner": "murmur2_random",
        }
    )
    for key, value in records:
        producer.produce(topic, value, key=key, headers=list(headers.items()))
        producer.poll(0)
    producer.flush()
