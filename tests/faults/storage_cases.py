"""What befalls ClickHouse itself: it is away, refuses to write, is full, forgets, is altered and merges."""

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from clickhouse_driver import Client
from sinking import wait_until

from audit_deploy.clickhouse import ADMIN
from audit_deploy.programs import CLICKHOUSE
from audit_schemas.settings import ClickHouse
from audit_sinks.migrations import DEDUPLICATION_WINDOW

from .cases import case
from .clickhouse_cases import OFTEN, SINK
from .recovery import recovered
from .rig import Rig, clickhouse_client

TABLES = ("audit_events", "contact_events")
"""The large ones."""
_MAY_MOUNT = 21
"""CAP_SYS_ADMIN."""


def _may_mount() -> bool:
    status = Path("/proc/self/status").read_text() if Path("/proc/self/status").exists() else ""
    rights = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:")]
    return bool(rights) and bool(rights[0] >> _MAY_MOUNT & 1)


def alter(admin: Client, change: str) -> None:
    """Do the same to each of the large tables."""
    for table in TABLES:
        admin.execute(f"ALTER TABLE {table} {change}")


def restart(rig: Rig) -> None:
    """Stop ClickHouse and start it again: it reads its configuration then."""
    rig.stack.stop(CLICKHOUSE)
    rig.stack.start(CLICKHOUSE)
    rig.until_back(CLICKHOUSE)


def stops(rig: Rig, *words: str) -> None:
    """The sink ends by itself, and says why and what to do."""
    sink = rig.crew.any("sink")
    assert sink.ended(60) == 1
    for text in words:
        assert text in sink.said(), sink.said()[-3000:]


@contextmanager
def measured(rig: Rig) -> Iterator[None]:
    """A block that ends when ClickHouse can be used again; the time until the sink has caught up is noted."""
    yield
    assert rig.traffic is not None
    recovered(rig, CLICKHOUSE, time.monotonic(), len(rig.traffic.order))


@case("ClickHouse is away for a while", times=2)
def _(rig: Rig) -> None:
    for _ in range(rig.times):
        with measured(rig):
            rig.stack.stop(CLICKHOUSE)
            rig.pause(3.0, 10.0)
            rig.stack.start(CLICKHOUSE)
            rig.until_back(CLICKHOUSE)


@case("ClickHouse is frozen for a while", times=2)
def _(rig: Rig) -> None:
    for _ in range(rig.times):
        with measured(rig), rig.frozen(CLICKHOUSE):
            rig.pause(3.0, 8.0)


@contextmanager
def described(rig: Rig, old: str, new: str) -> Iterator[None]:
    """Another description of the workers' user, for as long as the block runs."""
    file = rig.stack.folder.clickhouse / "users.xml"
    before = file.read_text()
    head, name, rest = before.partition(f"<{ADMIN}>")
    assert old in rest
    file.write_text(head + name + rest.replace(old, new, 1))
    restart(rig)
    try:
        yield
    finally:
        file.write_text(before)
        restart(rig)


@case("ClickHouse refuses the sink's password")
def _(rig: Rig) -> None:
    """The sink stops; started again when the password is right, it goes on."""
    password = ClickHouse.from_url(rig.stack.clickhouse).password.get_secret_value()
    right, wrong = (hashlib.sha256(text.encode()).hexdigest() for text in (password, "another"))
    with described(rig, right, wrong):
        stops(rig, "check user and password in AUDIT_CLICKHOUSE")


@case("the sink's user loses the right to insert")
def _(rig: Rig) -> None:
    rights = "<grants><query>GRANT SELECT ON *.*</query></grants>"
    with described(rig, "<networks>", f"{rights}<networks>"):
        stops(rig, "grant the user what the message names", "INSERT")


@case("the sink's user may only read")
def _(rig: Rig) -> None:
    with described(rig, "<profile>default</profile>", "<profile>reader</profile>"):
        stops(rig, "the user's profile has readonly set: allow it to write")


@case("a table is set to read only")
def _(rig: Rig) -> None:
    """One of two that get the same block: the other one has its rows already."""
    with clickhouse_client(rig.stack) as admin:
        admin.execute("ALTER TABLE contact_events MODIFY SETTING table_readonly = 1")
        try:
            stops(rig, "Table is in readonly mode")
        finally:
            admin.execute("ALTER TABLE contact_events MODIFY SETTING table_readonly = 0")


@case("a table refuses every event", own=SINK)
def _(rig: Rig) -> None:
    """As one does that is older than the events: the sink stops at its limit, and has passed none of them."""
    with clickhouse_client(rig.stack) as admin:
        admin.execute("ALTER TABLE audit_events ADD CONSTRAINT nowhere CHECK source_partition > 9999")
        try:
            rig.sink(AUDIT_SINK_REFUSAL_LIMIT="1", AUDIT_SINK_LINGER_SECONDS="2")
            stops(rig, "which is more than 1", "update, run `audit migrate up` and start it again")
        finally:
            admin.execute("ALTER TABLE audit_events DROP CONSTRAINT nowhere")


@case("ClickHouse has too many parts", own=SINK)
def _(rig: Rig) -> None:
    """The sink waits until they are merged."""
    sink = rig.sink(**OFTEN).until_ready()
    with clickhouse_client(rig.stack) as admin:
        for _ in range(rig.times):
            with measured(rig):
                admin.execute("SYSTEM STOP MERGES")
                alter(admin, "MODIFY SETTING parts_to_throw_insert = 1, parts_to_delay_insert = 1")
                wait_until(lambda: "Too many parts" in sink.readiness(), seconds=30, about="too many parts")
                rig.pause(0.0, 2.0)
                alter(admin, "RESET SETTING parts_to_throw_insert, parts_to_delay_insert")
                admin.execute("SYSTEM START MERGES")


@contextmanager
def small_disk(rig: Rig, free: int) -> Iterator[Path]:
    """ClickHouse's files on a disk with so many free bytes; yields a file there that may fill it."""
    folder = rig.stack.folder.clickhouse / "data"
    aside, filler = folder.with_name("aside"), folder / "filler"
    rig.stack.stop(CLICKHOUSE)
    used = sum(file.lstat().st_blocks * 512 for file in folder.rglob("*"))
    folder.rename(aside)
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={used + free}", "tmpfs", folder], check=True)
    try:
        shutil.copytree(aside, folder, symlinks=True, dirs_exist_ok=True)
        restart(rig)
        try:
            yield filler
        finally:
            filler.unlink(missing_ok=True)
            rig.stack.stop(CLICKHOUSE)
            shutil.rmtree(aside)
            shutil.copytree(folder, aside, symlinks=True)
    finally:
        rig.stack.stop(CLICKHOUSE)
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()
        aside.rename(folder)
        restart(rig)


@case(
    "ClickHouse's disk is full",
    own=SINK,
    missing=None if _may_mount() else "a full disk needs the right to mount a small one",
)
def _(rig: Rig) -> None:
    """It becomes full while inserts run, and has room again some seconds later."""
    with small_disk(rig, free=200 << 20) as filler:
        sink = rig.sink(**OFTEN).until_ready()
        for _ in range(rig.times):
            with measured(rig):
                fill(filler)
                wait_until(lambda: "ClickHouse" in sink.readiness(), seconds=60, about="a full disk")
                rig.pause(1.0, 4.0)
                filler.unlink()
        sink.until_ready().stop()


def fill(file: Path) -> None:
    """Write until nothing more fits."""
    with file.open("wb", buffering=0) as writable, suppress(OSError):
        while True:
            os.write(writable.fileno(), bytes(1 << 16))


@case("ClickHouse has forgotten what was inserted when it is inserted again", own=SINK)
def _(rig: Rig) -> None:
    """Tokens of one insert alone are remembered: the repeats are rows, and no view shows one twice."""
    with clickhouse_client(rig.stack) as admin:
        admin.execute("SYSTEM STOP MERGES")
        alter(admin, "MODIFY SETTING non_replicated_deduplication_window = 1")
        try:
            before = _repeats(admin)
            for _ in range(rig.times):
                dying = rig.sink(AUDIT_KILL_POINT=f"sink.committing@{rig.choose.randint(1, 4)}")
                dying.ended(90)
                assert dying.was_killed
            rig.sink().until_ready()
            wait_until(lambda: _repeats(admin) > before, seconds=60, about="rows that came again")
            print(f"{_repeats(admin) - before} rows are there again")
        finally:
            alter(admin, f"MODIFY SETTING non_replicated_deduplication_window = {DEDUPLICATION_WINDOW}")
            admin.execute("SYSTEM START MERGES")


def _repeats(admin: Client) -> int:
    ((count,),) = admin.execute(
        "SELECT count() - uniqExact(source_partition, source_offset) FROM audit_events"
    )
    return int(count)


@case("tables are migrated and altered beside inserts", own=SINK)
def _(rig: Rig) -> None:
    """Every migration is applied again, as those of a newer version are beside an older sink."""
    rig.sink(**OFTEN).until_ready()
    with clickhouse_client(rig.stack) as admin:
        for number in range(2 * rig.times):
            admin.execute("TRUNCATE TABLE schema_migrations")
            done = rig.audit("migrate", "up")
            assert done.returncode == 0, done.stderr
            alter(admin, f"ADD COLUMN newer String DEFAULT '{number}'")
            rig.pause(0.1, 0.5)
            alter(admin, "DROP COLUMN newer")


@case("tables are merged beside inserts", own=SINK)
def _(rig: Rig) -> None:
    rig.sink(**OFTEN).until_ready()
    with clickhouse_client(rig.stack) as admin:
        for _ in range(3 * rig.times):
            rig.pause(0.1, 1.0)
            for table in TABLES:
                admin.execute(f"OPTIMIZE TABLE {table} FINAL")
