"""Runs ClickHouse as a server in this process; started as a module with FOLDER, CREDENTIALS and HTTP_PORT.

The whole of ClickHouse comes with chdb. Its engine runs `clickhouse local`, which reads config.xml from the
current directory and can listen as a server does, for as long as a query runs. So an endless query keeps it
up, and SIGTERM cancels that query: the engine ends in order.

The engine reads its users once, when it begins. A full server notices a change in users.d by itself; here
this process does, and begins anew in its own place: same process, same ports, and for a moment no answer,
which the workers wait for as for any other. SIGHUP asks for the same.
"""

import importlib.util
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from importlib.metadata import files
from pathlib import Path
from typing import Any, NoReturn

from audit_deploy import clickhouse

_STOP = {signal.SIGTERM, signal.SIGINT}
_RELOAD = signal.SIGHUP
_LOOK_SECONDS = 0.5
_SERVE = """
SYSTEM START LISTEN TCP;
SYSTEM START LISTEN HTTP;
SELECT sleepEachRow(1) FROM system.numbers FORMAT Null
SETTINGS function_sleep_max_microseconds_per_block = 0, max_block_size = 1
"""
_END = "KILL QUERY WHERE query LIKE 'SELECT sleepEachRow(1) FROM system.numbers%' ASYNC"


def main(folder: Path, credentials: Path, http_port: int) -> NoReturn:
    """Serve until SIGTERM or SIGINT; begin anew when a user is added or taken away.

    The process ends with 0 after a signal, with 1 and the reason on stderr when the engine does.
    """
    # Before the engine starts: its threads inherit the mask and leave the signals to us.
    awaited = {*_STOP, _RELOAD}
    signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    stopping = threading.Event()
    # It knows the files as they are before the engine reads them: no change is missed.
    watch = threading.Thread(
        target=_watch, args=(_files(clickhouse.users_folder(folder)), folder), daemon=True
    )
    engine = threading.Thread(target=_serve, args=(folder, stopping), name="clickhouse", daemon=True)
    engine.start()
    watch.start()
    received = signal.sigwait(awaited)
    stopping.set()
    reloading = received == _RELOAD
    try:
        clickhouse.execute(_END, clickhouse.passwords(credentials)[clickhouse.ADMIN], http_port=http_port)
        # It waits for its clients to leave; those who keep their connection lose it.
        engine.join(timeout=2 if reloading else 10)
    except OSError as error:
        # What was acknowledged is on the disk: ending at once loses nothing.
        print(f"ending at once: {error}", file=sys.stderr)
    sys.stderr.flush()
    if reloading:
        _begin_anew()
    os._exit(0)


def _begin_anew() -> NoReturn:
    """Become this program again, without what the engine has open.

    A signal to stop that comes meanwhile stays pending, and is the first thing that is seen then.
    """
    for descriptor in [int(entry.name) for entry in Path("/dev/fd").iterdir()]:
        with suppress(OSError):
            os.set_inheritable(descriptor, descriptor <= 2)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - what runs already


def _watch(known: object, folder: Path) -> None:
    while _files(clickhouse.users_folder(folder)) == known:
        time.sleep(_LOOK_SECONDS)
    os.kill(os.getpid(), _RELOAD)


def _files(folder: Path) -> list[tuple[str, int, int]]:
    """The files that the engine reads, so that any change of one shows."""
    found = []
    for file in sorted(folder.glob("*.xml")):
        with suppress(FileNotFoundError):
            state = file.stat()
            found.append((file.name, state.st_ino, state.st_mtime_ns))
    return found


def _serve(folder: Path, stopping: threading.Event) -> None:
    os.chdir(folder)
    try:
        # The format becomes the server's default one.
        _engine().query(_SERVE, "TabSeparated", path=str(folder / "data"))
    except RuntimeError as error:
        print(error, file=sys.stderr, flush=True)
    if not stopping.is_set():
        os._exit(1)


def _engine() -> Any:
    """The extension module alone: importing the package runs a first engine, which takes the log with it."""
    library = files("chdb-core")
    path = next(file for file in library or () if file.name == "_chdb.abi3.so").locate()
    loader = ExtensionFileLoader("_chdb", str(path))
    module = importlib.util.module_from_spec(ModuleSpec(loader.name, loader, origin=loader.path))
    loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
