"""Runs ClickHouse as a server in this process; started as a module with FOLDER, CREDENTIALS and HTTP_PORT.

The whole of ClickHouse comes with chdb. Its engine runs `clickhouse local`, which reads config.xml from the
current directory and can listen as a server does, for as long as a query runs. So an endless query keeps it
up, and SIGTERM cancels that query: the engine ends in order.
"""

import importlib.util
import os
import signal
import sys
import threading
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from importlib.metadata import files
from pathlib import Path
from typing import Any, NoReturn

from audit_deploy import clickhouse

_STOP = {signal.SIGTERM, signal.SIGINT}
_SERVE = """
SYSTEM START LISTEN TCP;
SYSTEM START LISTEN HTTP;
SELECT sleepEachRow(1) FROM system.numbers FORMAT Null
SETTINGS function_sleep_max_microseconds_per_block = 0, max_block_size = 1
"""
_END = "KILL QUERY WHERE query LIKE 'SELECT sleepEachRow(1) FROM system.numbers%' ASYNC"


def main(folder: Path, credentials: Path, http_port: int) -> NoReturn:
    """Serve until SIGTERM or SIGINT.

    The process ends with 0 after a signal, with 1 and the reason on stderr when the engine does.
    """
    # Before the engine starts: its threads inherit the mask and leave the signals to us.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)
    stopping = threading.Event()
    engine = threading.Thread(target=_serve, args=(folder, stopping), name="clickhouse", daemon=True)
    engine.start()
    signal.sigwait(_STOP)
    stopping.set()
    try:
        clickhouse.execute(_END, clickhouse.passwords(credentials)[clickhouse.ADMIN], http_port=http_port)
        engine.join(timeout=10)
    except OSError as error:
        # What was acknowledged is on the disk: ending at once loses nothing.
        print(f"ending at once: {error}", file=sys.stderr)
    sys.stderr.flush()
    os._exit(0)


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
