"""Kafka's jars: fetched once into the user's cache, exactly those of the committed lock.

`audit stack fetch` fetches them with progress. It verifies every sum, again on each call,
and repairs what is missing or broken; starting a stack only looks whether they are there.
"""

import hashlib
import tempfile
import tomllib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import platformdirs

from audit_deploy.errors import JarsMissing

_LOCK = Path(__file__).with_name("jgo.lock.toml")
_REMEDY = "fetch them with: audit stack fetch"


@dataclass(frozen=True)
class Jar:
    """One artifact of the lock."""

    group: str
    name: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        """As in a Maven repository."""
        return f"{self.name}-{self.version}.jar"


@cache
def locked() -> tuple[Jar, ...]:
    """The jars that the lock names, in the order of the class path."""
    entries = tomllib.loads(_LOCK.read_text())["dependencies"]
    return tuple(Jar(e["groupId"], e["artifactId"], e["version"], e["sha256"]) for e in entries)


def folder() -> Path:
    """Where this lock's jars are kept, apart from those of any other lock."""
    digest = hashlib.sha256("\n".join(jar.sha256 for jar in locked()).encode()).hexdigest()[:12]
    return platformdirs.user_cache_path("auditlane") / f"kafka-{digest}"


def class_path(at: Path) -> str:
    """The class path of the broker.

    Raises:
        JarsMissing: not all jars are there.
    """
    paths = [at / jar.filename for jar in locked()]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise JarsMissing(f"{len(missing)} of Kafka's {len(paths)} jars are not in {at}", remedy=_REMEDY)
    return ":".join(map(str, paths))


def wanting(at: Path) -> list[Jar]:
    """The jars that are missing at a folder or do not have the lock's sum."""
    return [jar for jar in locked() if not _intact(at / jar.filename, jar)]


def fetch(at: Path, jars: Iterable[Jar], *, fetched: Callable[[Jar], object]) -> None:
    """Download jars into a folder, four at a time; each appears there only when its sum is right.

    Args:
        at: the folder, made when missing.
        jars: what to download.
        fetched: called for each jar that has arrived, from any thread.

    Raises:
        JarsMissing: one cannot be downloaded, or is not what the lock says.
    """
    at.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=at, prefix="fetch-") as staging, ThreadPoolExecutor(4) as pool:
        download = _downloader(Path(staging))

        def one(jar: Jar) -> None:
            path = download(jar)
            if not _intact(path, jar):
                raise JarsMissing(
                    f"{jar.filename} is not the file that the lock names", remedy="try again later"
                )
            path.replace(at / jar.filename)
            fetched(jar)

        for done in [pool.submit(one, jar) for jar in jars]:
            done.result()


def _downloader(staging: Path) -> Callable[[Jar], Path]:
    # jgo takes 0.4 s to import and is needed once in a machine's life.
    from jgo.config import GlobalSettings  # noqa: PLC0415
    from jgo.maven import MavenContext  # noqa: PLC0415

    mirrors = GlobalSettings.load().repositories or None
    maven = MavenContext(repo_cache=staging, remote_repos=mirrors, timeout=30)

    def download(jar: Jar) -> Path:
        try:
            return Path(maven.project(jar.group, jar.name).at_version(jar.version).artifact().resolve())
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
            raise JarsMissing(
                f"cannot download {jar.filename}: {error}",
                remedy="check the network; a mirror is named in jgo's configuration file, [repositories]",
            ) from None

    return download


def _intact(path: Path, jar: Jar) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256
    except FileNotFoundError:
        return False
