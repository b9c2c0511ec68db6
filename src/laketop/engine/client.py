"""The command line of a JVM that speaks Spark Connect to the engine, as a JAR task does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laketop.engine.command import LATE_COMPILER, LOGGING, OPEN, shipped
from laketop.engine.jars import client_class_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def options(jars: Sequence[Path]) -> list[str]:
    """Return the options of `java`, with these jars at the end of the class path.

    `SparkSession.builder().getOrCreate()` then is a session at the address in SPARK_REMOTE.
    Errors: EngineMissing when pyspark, or what it has for clients, is not installed.
    """
    return [
        "-XX:+UseSerialGC",  # two cores have the engine to serve, too
        *LATE_COMPILER,
        *(f"--add-opens={package}=ALL-UNNAMED" for package in OPEN),
        # A main class that makes a local Spark of its own opens no port to the network.
        *("-Dspark.ui.enabled=false", "-Dspark.driver.host=127.0.0.1"),
        "-Dspark.driver.bindAddress=127.0.0.1",
        "-Dio.netty.tryReflectionSetAccessible=true",
        f"-Dlog4j2.configurationFile={shipped(LOGGING)}",
        *("-cp", client_class_path(jars)),
    ]


def argument_file(words: Sequence[str]) -> str:
    """Return the text of a file that `java @file` reads these words from.

    A class path of Spark is longer than systems like for one argument.
    """
    escaped = (word.replace("\\", "\\\\").replace('"', '\\"') for word in words)
    return "".join(f'"{word}"\n' for word in escaped)
