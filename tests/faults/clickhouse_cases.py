"""What networks do between the sink and ClickHouse: they refuse, delay, hang, cut and answer nonsense."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from clickhouse_driver import Client
from proxy import Proxy
from sinking import wait_until

from audit_deploy.programs import CLICKHOUSE
from audit_schemas.settings import ClickHouse

from .cases import case
from .recovery import recovered
from .rig import Rig, clickhouse_client
from .traffic import Mix
from .workers import Worker

SINK = ("sink",)
OFTEN = {"AUDIT_SINK_LINGER_SECONDS": "0.1"}
"""Many small inserts, so that many of them are hit."""
AN_INSERT = 60_000
"""Bytes that a sink sends at least while its next few inserts go over."""
NOTICED = 150.0
"""Seconds in which a sink says that a ClickHouse does not answer that has just stopped to."""


@contextmanager
def sink_behind_proxy(rig: Rig, **settings: str) -> Iterator[tuple[Proxy, Worker]]:
    """A sink that reaches ClickHouse through a proxy alone, and must go on once that is mended."""
    assert rig.traffic is not None
    server = ClickHouse.from_url(rig.stack.clickhouse)
    with Proxy(server.host, server.port) as proxy:
        url = rig.stack.clickhouse.replace(f":{server.port}/", f":{proxy.port}/")
        sink = rig.sink(AUDIT_CLICKHOUSE=url, **settings).until_ready()
        yield proxy, sink
        published, mended = len(rig.traffic.order), time.monotonic()
        proxy.heal()
        recovered(rig, CLICKHOUSE, mended, published)
        sink.until_ready().stop()


def until_it_waits(sink: Worker, seconds: float = 30) -> float:
    """Wait until a sink says that it waits for ClickHouse; returns how long that took, in seconds."""
    began = time.monotonic()
    wait_until(lambda: "ClickHouse" in sink.readiness(), seconds=seconds, about="the sink says that it waits")
    return time.monotonic() - began


def cut_again_and_again(rig: Rig, cut: Callable[[Proxy], None]) -> None:
    """Cut, wait until the sink has got over it, and cut again."""
    with sink_behind_proxy(rig, **OFTEN) as (proxy, sink):
        for _ in range(3 * rig.times):
            cut(proxy)
            wait_until(lambda: not proxy.is_armed, seconds=60, about="a cut")
            sink.until_ready()
        hit = [cut.sent for cut in proxy.cuts if cut.inserting]
        print(f"{len(proxy.cuts)} cuts, {len(hit)} of them in inserts, after {sorted(hit)} bytes")
        assert len(hit) > len(proxy.cuts) / 2, "hardly any cut fell into an insert"


@case("the connection to ClickHouse is cut in the middle of inserts", everyday=True, own=SINK, times=10)
def _(rig: Rig) -> None:
    """After random bytes: also between a question and its answer, and while it is being made anew."""
    cut_again_and_again(rig, lambda proxy: proxy.cut_after(rig.choose.randrange(AN_INSERT)))


@case("inserts are done, and their answers never arrive", own=SINK, times=10)
def _(rig: Rig) -> None:
    """Whether an insert was done is unknown then, and it goes again with the same token."""
    cut_again_and_again(rig, lambda proxy: proxy.cut_answers(1))


@case("inserts are repeated while the server still works on them", own=SINK, mix=Mix(rate=100))
def _(rig: Rig) -> None:
    """As when one takes longer than the sink waits for an answer: both must not be taken."""
    with clickhouse_client(rig.stack) as admin, sink_behind_proxy(rig) as (proxy, _):
        admin.execute("ALTER TABLE audit_events ADD COLUMN slow UInt8 DEFAULT sleep(2)")
        try:
            overlaps = sum(_overlapping(admin, proxy) for _ in range(2 * rig.times))
        finally:
            admin.execute("ALTER TABLE audit_events DROP COLUMN slow")
        assert overlaps, "no insert was repeated while it ran"


def _overlapping(admin: Client, proxy: Proxy) -> bool:
    """Cut the connections of running inserts; returns whether some still run beside their repeats."""
    wait_until(lambda: bool(_running_inserts(admin, 0.3)), seconds=30, about="a slow insert")
    before = _running_inserts(admin, 0)
    proxy.cut()
    time.sleep(1.2)
    after = _running_inserts(admin, 0)
    return bool(before & after) and bool(after - before)


def _running_inserts(admin: Client, elapsed: float) -> set[str]:
    query = (
        "SELECT query_id FROM system.processes WHERE query LIKE 'INSERT INTO%%' AND elapsed >= %(elapsed)s"
    )
    return {query_id for (query_id,) in admin.execute(query, {"elapsed": elapsed})}


@case("ClickHouse refuses connections", own=SINK)
def _(rig: Rig) -> None:
    for _ in range(rig.times):
        with sink_behind_proxy(rig) as (proxy, sink):
            rig.pause(0.5, 1.5)
            proxy.refuse()
            until_it_waits(sink)
            rig.pause(1.0, 5.0)


@case("ClickHouse answers slowly", own=SINK, times=1)
def _(rig: Rig) -> None:
    """Each part of an answer takes a second, so that an insert takes several."""
    with sink_behind_proxy(rig) as (proxy, sink):
        proxy.delay(1.0)
        rig.pause(12.0, 15.0)
        assert sink.readiness() == "ok\n"


@case("ClickHouse hangs for a moment", own=SINK)
def _(rig: Rig) -> None:
    """Shorter than the sink waits for an answer: what was held goes on as if nothing had been."""
    with sink_behind_proxy(rig) as (proxy, sink):
        for _ in range(rig.times):
            rig.pause(0.5, 1.5)
            proxy.hang()
            rig.pause(2.0, 4.0)
            proxy.heal()
        assert sink.runs


@case("ClickHouse hangs until the sink gives the connection up", own=SINK, times=1, mix=Mix(rate=100))
def _(rig: Rig) -> None:
    """What it had sent by then arrives when the hang is over, beside its repeat."""
    with sink_behind_proxy(rig) as (proxy, sink):
        rig.pause(0.5, 1.5)
        proxy.hang()
        print(f"a ClickHouse that hangs is noticed after {until_it_waits(sink, NOTICED):.0f} s")


@case("ClickHouse answers with nonsense", own=SINK, times=5)
def _(rig: Rig) -> None:
    """As another server would that got its port: the sink waits until it is ClickHouse again."""
    with sink_behind_proxy(rig, **OFTEN) as (proxy, sink):
        for _ in range(rig.times):
            proxy.answer(rig.choose.randbytes(rig.choose.randrange(1, 200)))
            until_it_waits(sink)
            proxy.heal()
            sink.until_ready()
