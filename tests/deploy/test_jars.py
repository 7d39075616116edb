"""Kafka's jars come from the lock, whole or not at all."""

from pathlib import Path

import pytest
from jgo.env import compute_spec_hash

from audit_deploy import jars
from audit_deploy.errors import JarsMissing

_PACKAGE = Path(jars.__file__).parent


def test_the_lock_belongs_to_the_list_of_what_is_wanted():
    assert (
        f'spec_hash = "{compute_spec_hash(_PACKAGE / "jgo.toml")}"'
        in (_PACKAGE / "jgo.lock.toml").read_text()
    )


def test_the_lock_names_sums_and_no_hosts():
    text = (_PACKAGE / "jgo.lock.toml").read_text()

    assert "://" not in text
    assert all(len(jar.sha256) == 64 for jar in jars.locked())
    assert "kafka_2.13-4.1.2.jar" in {jar.filename for jar in jars.locked()}


def test_a_missing_set_is_one_line_with_its_remedy(tmp_path):
    with pytest.raises(JarsMissing) as refused:
        jars.class_path(tmp_path)

    count = len(jars.locked())
    assert f"{count} of Kafka's {count} jars are not in {tmp_path}" == refused.value.message
    assert "audit stack fetch" in refused.value.remedy


def test_a_broken_jar_is_wanted_again(tmp_path):
    jar = jars.locked()[0]
    (tmp_path / jar.filename).write_bytes(b"half of it")

    assert jar in jars.wanting(tmp_path)


def test_a_download_that_is_not_what_the_lock_says_never_arrives(tmp_path, monkeypatch):
    jar = jars.locked()[0]

    def downloader(staging):
        def download(_):
            file = staging / "other.jar"
            file.write_bytes(b"something else")
            return file

        return download

    monkeypatch.setattr(jars, "_downloader", downloader)

    with pytest.raises(JarsMissing, match="is not the file that the lock names"):
        jars.fetch(tmp_path, [jar], fetched=lambda _: None)
    assert list(tmp_path.iterdir()) == []
