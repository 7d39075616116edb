import resource
import subprocess
import sys

import pytest

from audit_exporter.errors import FileExists
from audit_exporter.new_file import new_file
from audit_schemas.errors import AuditError


def names_in(folder):
    return [path.name for path in folder.iterdir()]


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path):
    path = tmp_path / "log.csv"
    with new_file(path, replace=False) as file:
        file.write(b"rows")
        assert not path.exists()
    assert path.read_bytes() == b"rows"
    assert names_in(tmp_path) == ["log.csv"]


def test_nothing_is_left_of_a_file_that_failed(tmp_path):
    with pytest.raises(ZeroDivisionError), new_file(tmp_path / "log.csv", replace=False) as file:
        file.write(b"half" * (1 // 0))
    assert names_in(tmp_path) == []


def test_a_file_that_is_there_stays_unless_it_may_go(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(b"old")
    with pytest.raises(FileExists, match=r"log\.csv"), new_file(path, replace=False):
        pass
    assert path.read_bytes() == b"old"
    with new_file(path, replace=True) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"


def test_a_file_that_appears_meanwhile_stays(tmp_path):
    path = tmp_path / "log.csv"
    with pytest.raises(FileExists), new_file(path, replace=False) as file:
        file.write(path.write_bytes(b"theirs").to_bytes())
    assert path.read_bytes() == b"theirs"
    assert names_in(tmp_path) == ["log.csv"]


def test_a_folder_that_is_not_there_is_one_clear_line(tmp_path):
    away = new_file(tmp_path / "away" / "log.csv", replace=False)
    with pytest.raises(AuditError, match=r"cannot write .*away/log\.csv: No such file"):
        away.__enter__()


def test_a_full_disk_is_one_clear_line_and_leaves_nothing(tmp_path):
    # A limit on the size of files fails within write(), as a full disk does.
    code = (
        "import sys; from pathlib import Path; from audit_exporter.new_file import new_file\n"
        "from audit_schemas.errors import AuditError\n"
        "try:\n"
        "    with new_file(Path(sys.argv[1]), replace=False) as file:\n"
        "        for _ in range(100): file.write(b'x' * 10_000)\n"
        "except AuditError as error:\n"
        "    print(error.message)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "log.csv")],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == f"cannot write {tmp_path / 'log.csv'}: File too large"
    assert names_in(tmp_path) == []
