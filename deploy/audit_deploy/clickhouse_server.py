"""Runs ClickHouse as a server in this process: `python -m audit_deploy.clickhouse_server FOLDER CREDENTIALS HTTP_PORT`.

The whole of ClickHouse comes with chdb. Its engine runs `clickhouse local`, which reads config.xml from the current
directory and can listen as a server does, for as long as a query runs. So an endless query keeps it up, and SIGTERM
cancels that query: the engine ends in order.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from audit_deploy import clickhouse

_STOP = {signal.SIGTERM, signal.SIGINT}
_SERVE = """
SYSTEM START LISTEN TCP;
SYSTEM START LISTEN HTTP;
SELECT sleepEachRow(1) FROM system.numbers FORMAT Null
SETTINGS function_sleep_max_microseconds_per_block = 0, max_block_size = 1
"""
_END = "KILL QUERY WHERE query LIKE 'SELECT sleepEachRow(1) FROM system.numbers%' ASYNC"


def main(folder: Path, credentials: Path, http_port: int) -> int:
    """Serve until SIGTERM or SIGINT.

    Returns:
        0 after a signal. When the engine ends by itself the process does too, with 1 and the reason on stderr.
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
    # Before the import, which starts an engine already and with it the log that config.xml asks for.
    os.chdir(folder)
    from chdb import _chdb  # noqa: PLC0415

    try:
        # The format becomes the server's default one.
        _chdb.query(_SERVE, "TabSeparated", path=str(folder / "data"))
    except RuntimeError as error:
        print(error, file=sys.stderr, flush=True)
    if not stopping.is_set():
        os._exit(1)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
