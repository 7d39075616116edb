"""How much longer live events take to be readable while years of history are imported."""

import json
import random
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import latency
from clickhouse_driver import Client
from results import Result
from workers import AUDIT

from audit_schemas.settings import ClickHouse

_LONGEST = 2_000_000
_WARM_UP_SECONDS = 20
"""An import finds its rate by then."""
_REST_SECONDS = 5
"""What was imported is stored by then."""


def measure(
    kafka: str, clickhouse: str, environment: dict[str, str], *, rate: int, seconds: int
) -> list[Result]:
    """Publish live events at a steady rate, beside an import of seven years in random order, then alone.

    In this order both find tables that hold years of history.
    """
    with TemporaryDirectory() as folder:
        dump = Path(folder) / "dump.jsonl"
        _write(dump, _LONGEST)
        began = time.monotonic()
        with subprocess.Popen(
            [AUDIT, "import", str(dump), "--json"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            time.sleep(_WARM_UP_SECONDS)
            beside = _delays(latency.measure(kafka, clickhouse, rate=rate, seconds=seconds))
            parts = _most_parts(clickhouse)
            process.send_signal(signal.SIGTERM)
            imported = json.loads(process.communicate()[0])["imported"]
        took = time.monotonic() - began
    time.sleep(_REST_SECONDS)
    alone = _delays(latency.measure(kafka, clickhouse, rate=rate, seconds=seconds))
    return [
        *(
            Result(
                name=f"publish to query beside an import, {name}",
                value=value,
                unit="s",
                peer="without an import",
                peer_value=alone[name],
            )
            for name, value in beside.items()
        ),
        Result(name="history imported meanwhile", value=imported / took, unit="events/s"),
        Result(name="parts of one year's partition, meanwhile", value=parts, unit="parts", limit_value=1000),
    ]


def _delays(results: list[Result]) -> dict[str, float]:
    return {result.name.rpartition(", ")[2]: result.value for result in results}


def _write(dump: Path, count: int) -> None:
    chosen = random.Random(7)
    began, seconds = datetime(2019, 10, 2, tzinfo=UTC), 7 * 365 * 86_400
    kinds = ("contact", "role", "agent")
    with dump.open("w") as file:
        for number in range(count):
            at = began + timedelta(seconds=chosen.randrange(seconds))
            event = {
                "account": f"account-{chosen.randrange(200)}",
                "occurred_at": at.isoformat(),
                "action": "update",
                "idempotency_key": str(number),
                "target": {
                    "type": chosen.choice(kinds),
                    "id": str(chosen.randrange(5000)),
                },
                "actor": {"type": "agent", "id": str(chosen.randrange(500))},
                "changes": [{"field": "name", "old": f"a{number}", "new": f"b{number}"}],
                "origin": {"address": "203.0.113.7", "via": "web"},
            }
            file.write(json.dumps(event) + "\n")


def _most_parts(clickhouse: str) -> float:
    """In any partition of a table: from 1,000 on ClickHouse slows inserts down, at 3,000 it refuses them."""
    server = ClickHouse.from_url(clickhouse)
    with Client(
        server.host, server.port, server.database, server.user, server.password.get_secret_value()
    ) as client:
        ((most,),) = client.execute(
            "SELECT max(parts) FROM (SELECT count() AS parts FROM system.parts "
            "WHERE active AND database = currentDatabase() GROUP BY table, partition)"
        )
    return float(most)
