"""A runtime: one file of pins that must agree - Python, Spark, Delta, Scala and their jars."""

from __future__ import annotations

import dataclasses
import functools
import importlib.resources
import tomllib

from laketop.errors import NotFound
from laketop.settings import DEFAULT_RUNTIME


@dataclasses.dataclass(frozen=True)
class Jar:
    """One jar by its coordinates, with the digest of its bytes in hexadecimal."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The name of the file as repositories and class paths spell it."""
        return f"{self.artifact}-{self.version}.jar"

    @property
    def path(self) -> str:
        """The path of the jar below the root of a Maven repository."""
        return f"{self.group.replace('.', '/')}/{self.artifact}/{self.version}/{self.file_name}"


@dataclasses.dataclass(frozen=True)
class Runtime:
    """The versions that one engine is made of."""

    key: str
    python: tuple[str, ...]
    java: tuple[int, ...]
    spark: str
    scala: str
    delta: str
    jars: tuple[Jar, ...]
    extra: str
    """The extra of laketop that installs this Spark."""
    confs: tuple[tuple[str, str], ...]
    """What this Spark has to be told, and the Spark of another runtime not."""

    @classmethod
    @functools.cache
    def load(cls, key: str = DEFAULT_RUNTIME) -> Runtime:
        """Return the runtime named `key`.

        Errors: NotFound for a key that no file under `runtimes/` has.
        """
        folder = importlib.resources.files("laketop.engine") / "runtimes"
        file = folder / f"{key}.toml"
        if not file.is_file():
            there = sorted(file.name.removesuffix(".toml") for file in folder.iterdir())
            raise NotFound("runtime", key, hint=f"there is {', '.join(reversed(there))}")
        pins = tomllib.loads(file.read_text(encoding="utf-8"))
        return cls(
            key=key,
            python=tuple(pins["python"]),
            java=tuple(pins["java"]),
            spark=pins["spark"],
            scala=pins["scala"],
            delta=pins["delta"],
            extra=pins["extra"],
            confs=tuple(pins["confs"].items()),
            jars=tuple(Jar(**jar) for jar in pins["jars"]),
        )
