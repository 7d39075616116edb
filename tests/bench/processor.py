"""The processor beside a bare loop, Quix Streams and a stock Faust agent that do the same work."""

import statistics
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path

import broker
import load
import quix
from results import Result
from workers import AUDIT, worker

from audit_schemas.topics import CHANGES, EVENTS, PROCESSOR_GROUP

PEERS = Path(__file__).with_name("peers")
_SECONDS = {"bare_loop": 8.0, "quix_streams": 12.0, "stock_faust": 14.0}
"""How long each peer runs, its start included; its rate is measured from its first record to its last."""


def measure(kafka: str, environment: Mapping[str, str], *, events: int, rounds: int) -> list[Result]:
    """Publish the events once, then let each process them in turn, round by round."""
    load.publish(kafka, CHANGES.name, events)
    ours: list[float] = []
    memory: list[int] = []
    peers: dict[str, list[float]] = {name: [] for name in _SECONDS}
    for _ in range(rounds):
        rate, peak = _ours(kafka, environment, events)
        ours.append(rate)
        memory.append(peak)
        for name, rates in peers.items():
            rates.append(_peer(kafka, name))
    value, limit = statistics.median(ours), statistics.median(peers["bare_loop"])
    return [
        Result(
            name=f"processor beside {peer}",
            value=value,
            unit="events/s",
            peer=peer,
            peer_value=statistics.median(peers[name]),
            limit_value=limit,
        )
        for name, peer in (
            ("stock_faust", "stock Faust"),
            ("quix_streams", "Quix Streams"),
            ("bare_loop", "bare loop"),
        )
    ] + [Result(name="memory of the processor", value=max(memory) / 2**20, unit="MiB")]


def _ours(kafka: str, environment: Mapping[str, str], events: int) -> tuple[float, int]:
    made = broker.Topic(kafka, EVENTS.name)
    with worker([AUDIT, "processor", "run"], {**environment, "AUDIT_HTTP_PORT": "0"}) as running:
        made.wait(events, 120)
        rate = made.rate()
    made.close()
    broker.forget_group(kafka, PROCESSOR_GROUP)
    return rate, running.peak_memory


def _peer(kafka: str, name: str) -> float:
    topic = f"bench.{name}.{uuid.uuid4()}"
    broker.make_topic(kafka, topic)
    made = broker.Topic(kafka, topic)
    python, environment = (
        (quix.python(), quix.ENVIRONMENT) if name == "quix_streams" else (Path(sys.executable), {})
    )
    command = [str(python), str(PEERS / f"{name}.py"), kafka, CHANGES.name, topic, str(_SECONDS[name])]
    with worker(command, environment) as running:
        running.process.wait(60)
    rate = made.rate()
    made.close()
    return rate
