"""What Kafka, ClickHouse and supervisord are told."""

import configparser
import hashlib
import json
import shlex
import stat
import uuid
from pathlib import Path
from xml.etree import ElementTree as ET

from audit_deploy import clickhouse, kafka
from audit_deploy.clickhouse import User
from audit_deploy.control import Plan, Stack
from audit_deploy.folder import Folder
from audit_deploy.supervision import Job, render
from audit_schemas.settings import ClickHouse


def _properties(**given) -> dict[str, str]:
    text = kafka.properties(**{"port": 1, "controller_port": 2, "data": Path("data"), **given})
    return dict(line.split("=", 1) for line in text.splitlines())


def test_kafka_listens_on_this_machine_alone():
    found = _properties(port=9092, controller_port=9093)

    assert found["listeners"] == "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093"
    assert found["controller.quorum.voters"] == "1@127.0.0.1:9093"


def test_kafka_makes_no_topic_by_itself_and_keeps_offsets_for_thirty_days():
    found = _properties()

    assert found["auto.create.topics.enable"] == "false"
    assert int(found["offsets.retention.minutes"]) >= 30 * 24 * 60


def test_kafka_accepts_the_largest_record_of_the_ladder_with_its_envelope():
    found = _properties()

    assert 20 * 1024 * 1024 < int(found["message.max.bytes"]) < int(found["socket.request.max.bytes"])


def test_clickhouse_knows_passwords_only_as_sums():
    text = clickhouse.users_xml([User("somebody", "open sesame", "default")])

    assert "open sesame" not in text
    assert hashlib.sha256(b"open sesame").hexdigest() == ET.fromstring(text).findtext(
        "users/somebody/password_sha256_hex"
    )


def test_clickhouse_users_get_their_grants_and_only_from_this_machine():
    document = ET.fromstring(
        clickhouse.users_xml([User("reader", "x", "reader", ("GRANT SELECT ON a.*", "GRANT SELECT ON b.*"))])
    )

    granted = [query.text for query in document.iterfind("users/reader/grants/query")]
    assert granted == ["GRANT SELECT ON a.*", "GRANT SELECT ON b.*"]
    assert document.findtext("users/reader/networks/ip") == "127.0.0.1"


def test_text_in_clickhouse_configurations_is_escaped():
    document = ET.fromstring(clickhouse.users_xml([User("a", "", "default", ("GRANT <&>",))]))

    assert document.findtext("users/a/grants/query") == "GRANT <&>"


def test_passwords_are_made_once_differ_and_are_for_the_owner_alone(tmp_path):
    file = tmp_path / "credentials.json"

    made = clickhouse.passwords(file)

    assert made == clickhouse.passwords(file) == json.loads(file.read_text())
    assert len(set(made.values())) == len(made) == 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_url_of_clickhouse_is_what_the_settings_read():
    read = ClickHouse.from_url(clickhouse.url("s-_3cret", port=9001, http_port=8124))

    assert (
        read.host,
        read.port,
        read.http_port,
        read.user,
        read.database,
    ) == ("127.0.0.1", 9001, 8124, "audit_admin", "audit")
    assert read.password.get_secret_value() == "s-_3cret"


def test_supervisord_is_given_commands_with_spaces_quotes_and_percent_signs_unharmed(tmp_path):
    command = ["python", "-c", "print('100 %')", "a b"]
    job = Job("worker", command, {"AUDIT_HTTP_PORT": "1"}, priority=20, at_once=False)

    parser = configparser.ConfigParser(interpolation=configparser.BasicInterpolation())
    parser.read_string(render(Folder(tmp_path / "with % sign"), [job]))

    program = parser["program:worker"]
    assert command == shlex.split(program["command"])[-4:]
    assert str(tmp_path / "with % sign" / "logs" / "worker.log") == program["stdout_logfile"]
    assert program["environment"] == 'AUDIT_HTTP_PORT="1"'
    assert not program.getboolean("autostart")


def test_a_clusters_id_never_looks_like_an_option():
    made = iter([uuid.UUID(int=0xF8 << 120), uuid.UUID(int=1)])

    assert kafka.cluster_id(lambda: next(made)) == "AAAAAAAAAAAAAAAAAAAAAQ"


def test_a_stack_that_an_older_version_started_has_the_parts_that_it_had_then(tmp_path):
    folder = Folder(tmp_path)
    ports = {"kafka": 1, "kafka-controller": 2, "clickhouse": 3, "clickhouse-http": 4, "sink": 5}
    folder.state.write_text(json.dumps({"ports": ports, "window": "3h", "workers": True}))
    plan = Plan.load(folder)

    assert plan is not None
    assert [program.name for program in Stack(folder, plan).programs] == ["kafka", "clickhouse", "sink"]
