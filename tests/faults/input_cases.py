"""What services send that they should not, and what becomes of services."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import cycle

from .cases import case
from .rig import Rig
from .services import services
from .traffic import Mix, event_body

LIMIT = 10_000
"""Refused records in a row at which a worker stops, as it is by default."""


def events(rig: Rig, count: int) -> list[bytes]:
    """Changes of one contact as JSON, not published yet."""
    assert rig.traffic is not None
    return [
        event_body(
            account=f"{rig.traffic.account}-0",
            occurred_at="2026-03-01T09:00:00Z",
            target={"type": "contact", "id": "poisoned"},
            metadata={"number": number},
        )
        for number in range(count)
    ]


SPOILT: Mapping[str, Callable[[bytes], bytes]] = {
    "cut off": lambda body: body[:-7],
    "no text": lambda body: b"\xff" + body,
    "another kind of JSON": lambda body: b"[" + body + b"]",
    "a number that is none": lambda body: body.replace(b'"number": ', b'"number": 0x'),
    "an actor of a newer version": lambda body: body.replace(b'"agent"', b'"assistant"'),
    "a mode of a newer version": lambda body: body.replace(b"{", b'{"recorded": "replayed", ', 1),
    "no zone": lambda body: body.replace(b'09:00:00Z"', b'09:00:00"'),
}
"""Ways to spoil an event; what only a newer version understands an older processor must refuse."""


@case("poison among good events, while workers are killed")
def _(rig: Rig) -> None:
    """Each is a dead letter, once, and nothing around it is held up."""
    assert rig.traffic is not None
    for part in ("processor", "sink", "windows"):
        for body, spoil in zip(events(rig, 70 * rig.times), cycle(SPOILT.values()), strict=False):
            rig.traffic.publish_poison(spoil(body), key=str(rig.choose.randrange(50)).encode())
            time.sleep(0.002)
        rig.crew.any(part).kill()
        rig.start(part)


@case("more than ten thousand in a row are poison", own=("processor",), mix=Mix(rate=0))
def _(rig: Rig) -> None:
    """The processor stops at its limit, and again when started again; told to have none it goes on."""
    assert rig.traffic is not None
    processor = rig.processor().until_ready()
    for body in events(rig, 100):
        rig.traffic.publish(body)
    for body in events(rig, LIMIT + 500):
        rig.traffic.publish_poison(body[:-1], key=b"one partition")
    for body in events(rig, 100):
        rig.traffic.publish(body)
    assert processor.ended(120) == 1
    again = rig.processor()
    assert again.ended(60) == 1
    for stopped in (processor, again):
        assert f"{LIMIT:,} records in a row are refused" in stopped.said()
        assert "with 0 for no limit" in stopped.said()
    rig.processor(AUDIT_PROCESSOR_REFUSAL_LIMIT="0").until_ready()


@case("several services publish the same events at once", mix=Mix(rate=100))
def _(rig: Rig) -> None:
    """As when a queue hands one job to several: the keys are the same, and so are the ids."""
    count, job = 1000 * rig.times, datetime(2026, 3, 1, 9, tzinfo=UTC)
    with services(rig) as jobs:
        for service in [jobs.start(count=count, job=job) for _ in range(3)]:
            service.until_done()
    assert len({id_ for service in jobs.all for id_ in service.acknowledged}) == count


@case("publishing services are killed in the middle of it", mix=Mix(rate=100))
def _(rig: Rig) -> None:
    """What they know to be acknowledged is there; of the rest there is what arrived, and no alarm."""
    for _ in range(rig.times):
        with services(rig) as killed:
            for service in [killed.start(count=1_000_000) for _ in range(2)]:
                service.until_it_publishes()
            rig.pause(0.1, 1.0)
            for service in killed.all:
                service.kill()
