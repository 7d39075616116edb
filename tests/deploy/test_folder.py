"""The data folder, usable or not."""

import os
import shutil
import stat
from types import SimpleNamespace

import pytest

from audit_deploy.errors import FolderUnusable
from audit_deploy.folder import Folder


def test_the_folder_is_for_its_owner_alone(tmp_path):
    folder = Folder(tmp_path / "stack")

    folder.prepare()

    assert stat.S_IMODE(folder.root.stat().st_mode) == 0o700
    assert folder.logs.is_dir()


def test_a_folder_below_a_file_is_refused_in_one_line(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(FolderUnusable) as refused:
        Folder(tmp_path / "file" / "stack").prepare()

    assert f"cannot write the data folder {tmp_path}/file/stack: Not a directory" == refused.value.message
    assert "--data-dir" in refused.value.remedy


@pytest.fixture
def not_root(tmp_path):
    """Root may write everywhere: be nobody for a while."""
    tmp_path.chmod(0o500)
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(65534)
    yield
    if was_root:
        os.seteuid(0)


@pytest.mark.usefixtures("not_root")
def test_a_folder_without_permission_is_refused_in_one_line(tmp_path):
    with pytest.raises(FolderUnusable, match="Permission denied"):
        Folder(tmp_path / "stack").prepare()


def test_a_nearly_full_disk_is_refused_before_anything_starts(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3 * 1024 * 1024))

    with pytest.raises(FolderUnusable) as refused:
        Folder(tmp_path).prepare()

    assert f"the disk of {tmp_path} has 3 MiB left; the stack needs 512 MiB" == refused.value.message
    assert "free some space" in refused.value.remedy


def test_the_socket_lies_elsewhere_when_the_folders_path_is_too_long(tmp_path):
    short, long = Folder(tmp_path / "a"), Folder(tmp_path / ("a" * 120))

    assert len(os.fsencode(long.socket)) < 90
    assert long.socket != Folder(tmp_path / ("b" * 120)).socket
    assert short.socket.parent == short.root or len(os.fsencode(short.root)) > 70
