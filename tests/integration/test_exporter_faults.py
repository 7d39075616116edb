"""An export holds exactly what was counted, or there is no file: as rows arrive, when ClickHouse is lost."""

import socket
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from log_rows import START

from audit_exporter.clickhouse import Connection
from audit_exporter.columns import Column, log_columns
from audit_exporter.errors import FileExists, QueryFailed, RowsMissing
from audit_exporter.export import Request, bound, write
from audit_exporter.filters import Filter
from audit_schemas.catalogue import catalogue
from audit_schemas.errors import AuditError, Unreachable
from audit_schemas.settings import ClickHouse

LOG = log_columns(catalogue())

MANY = 200_000
FAR = START + timedelta(days=99)


class Interrupted(Connection):
    """A connection before whose streams something happens, as often as told."""

    def meanwhile(self, happening, times):
        self._happening, self._times = happening, times
        return self

    def stream(self, query, **options):
        if self._times:
            self._times -= 1
            self._happening()
        return super().stream(query, **options)


@pytest.fixture
def server(stack):
    return ClickHouse.from_url(stack.clickhouse)


def request_of(log, columns=LOG):
    return Request(Filter(accounts=(log.account,)), columns, "UTC")


def paths_in(folder):
    return {"csv": folder / "log.csv", "xlsx": folder / "log.xlsx"}


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_arrives_during_an_export_is_not_in_it(server, log, tmp_path):
    log.add_many(50)
    with Interrupted(server) as connection:
        connection.meanwhile(lambda: log.add([{"received_at": FAR}] * 3), times=9)
        files = write(connection, request_of(log), paths_in(tmp_path))
    assert [file.rows for file in files] == [50, 50]
    assert len((tmp_path / "log.csv").read_text("utf-8-sig").splitlines()) == 51


def test_what_was_received_before_and_stored_after_the_count_is_in_the_next_attempt(server, log, tmp_path):
    log.add_many(50)
    with Interrupted(server) as connection:
        connection.meanwhile(lambda: log.add([{}]), times=1)
        files = write(connection, request_of(log), paths_in(tmp_path))
    assert [file.rows for file in files] == [51, 51]


def test_an_export_that_never_fits_its_count_fails_and_leaves_nothing(server, log, tmp_path):
    log.add_many(50)
    with Interrupted(server) as connection:
        connection.meanwhile(lambda: log.add([{}]), times=99)
        with pytest.raises(RowsMissing) as caught:
            write(connection, request_of(log), paths_in(tmp_path))
    assert caught.value.read == caught.value.counted + 1
    assert caught.value.exit_code == 3
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_query_that_breaks_off_midway_fails_with_the_reason_and_leaves_nothing(server, log, tmp_path, form):
    log.add_many(MANY)
    # The file begins with the newest; its oldest row raises.
    fails = Column("fails", "Fails", "toString(throwIf(target_id = '0', 'the row is out of reach'))")
    request = request_of(log, (*LOG, fails))
    with Connection(server) as connection, pytest.raises(QueryFailed, match="the row is out of reach"):
        write(connection, request, {form: tmp_path / f"log.{form}"})
    assert names_in(tmp_path) == []


@contextmanager
def cutting(server, after):
    """ClickHouse's HTTP port behind a wire that is cut after so many bytes of the answer."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def carry():
            client, _ = listening.accept()
            with client, socket.create_connection((server.host, server.http_port)) as upstream:
                asking = threading.Thread(target=ask, args=(client, upstream))
                asking.start()
                left = after
                while left > 0 and (data := upstream.recv(min(left, 1 << 16))):
                    client.sendall(data)
                    left -= len(data)
                client.shutdown(socket.SHUT_RDWR)
                asking.join()

        def ask(client, upstream):
            while data := client.recv(1 << 16):
                upstream.sendall(data)

        thread = threading.Thread(target=carry)
        thread.start()
        yield server.model_copy(update={"http_port": listening.getsockname()[1]})
        thread.join()


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_connection_that_is_lost_midway_leaves_nothing(server, log, tmp_path, form):
    log.add_many(MANY)
    told = []
    with (
        cutting(server, after=3_000_000) as cut,
        Connection(cut) as connection,
        pytest.raises((QueryFailed, Unreachable)),
    ):
        write(
            connection,
            request_of(log),
            {form: tmp_path / f"log.{form}"},
            progress=lambda *step: told.append(step),
        )
    assert told[-1][1] > 0
    assert names_in(tmp_path) == []


def test_a_file_that_is_there_is_refused_before_anything_is_read(server, log, tmp_path):
    (tmp_path / "log.xlsx").write_bytes(b"old")
    with Connection(server) as connection:
        with pytest.raises(FileExists, match=r"log\.xlsx exists"):
            write(connection, request_of(log), paths_in(tmp_path))
        assert names_in(tmp_path) == ["log.xlsx"]
        write(connection, request_of(log), paths_in(tmp_path), force=True)
    assert (tmp_path / "log.xlsx").read_bytes()[:2] == b"PK"


def test_a_folder_that_is_not_there_is_one_clear_line(server, log, tmp_path):
    with Connection(server) as connection, pytest.raises(AuditError, match=r"cannot write .*No such file"):
        write(connection, request_of(log), paths_in(tmp_path / "away"))


def test_count_and_read_share_one_watermark(server, log):
    log.add([{"received_at": START + timedelta(seconds=n), "occurred_at": START} for n in range(5)])
    with Connection(server) as connection:
        fixed, counted = bound(connection, request_of(log))
        assert (counted.rows, counted.watermark) == (5, START + timedelta(seconds=4))
        log.add([{"received_at": FAR}])
        assert bound(connection, replace(request_of(log), wanted=fixed.wanted))[1].rows == 5


def test_progress_counts_up_to_all_rows(server, log, tmp_path):
    log.add_many(MANY)
    told = []
    with Connection(server) as connection:
        write(
            connection,
            request_of(log),
            {"csv": tmp_path / "log.csv"},
            progress=lambda *step: told.append(step),
        )
    assert told == sorted(told)
    assert told[-1] == ("csv", MANY, MANY)
