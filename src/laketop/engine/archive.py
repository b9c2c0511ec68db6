"""An archive of the engine's loaded classes, which halves its start; made at its first end."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from laketop.engine.jars import class_path, own_jar, spark_home

_KEPT = 3
"""Archives are large (about 200 MB); older ones than these are deleted."""


@dataclasses.dataclass(frozen=True)
class Archive:
    """Where the archive of one JVM and one class path is, or will be."""

    file: Path

    @property
    def _fresh(self) -> Path:
        return self.file.with_suffix(f".{os.getpid()}.new")

    def flags(self) -> tuple[str, ...]:
        """Return the JVM flags that use the archive, or else write it when the JVM ends."""
        if self.file.exists():
            with contextlib.suppress(OSError):
                os.utime(self.file)
            return (f"-XX:SharedArchiveFile={self.file}", "-Xlog:cds=off", "-Xlog:cds+dynamic=off")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self._drop_what_was_left()
        except OSError:
            return ()
        return (f"-XX:ArchiveClassesAtExit={self._fresh}", "-Xlog:cds=off", "-Xlog:cds+dynamic=off")

    def _drop_what_was_left(self) -> None:
        # Of workspaces that were killed before their engine had ended.
        for draft in self.file.parent.glob("*.new"):
            try:
                os.kill(int(draft.name.split(".")[-2]), 0)
            except (ProcessLookupError, PermissionError):  # of another user: a number used again
                draft.unlink(missing_ok=True)

    def keep(self, code: int) -> None:
        """Put an archive that the JVM has written in its place, and drop old ones.

        A JVM that was killed (`code` < 0) may have written a part of it.
        """
        with contextlib.suppress(OSError):
            if code < 0:
                self._fresh.unlink()
                return
            self._fresh.replace(self.file)
            newest = sorted(self.file.parent.glob("*.jsa"), key=lambda f: -f.stat().st_mtime)
            for old in newest[_KEPT:]:
                old.unlink()


def of(cache: Path, java: Path, jars: Sequence[Path]) -> Archive:
    """Return the archive for this JVM and exactly these jars (a JVM accepts no other)."""
    key = hashlib.sha256()
    for file in (java.resolve(), *sorted((spark_home() / "jars").glob("*.jar")), own_jar(), *jars):
        told = file.stat()
        key.update(f"{file} {told.st_size} {told.st_mtime_ns}\n".encode())
    key.update(class_path(jars).encode())
    return Archive(cache / "classes" / f"{key.hexdigest()[:20]}.jsa")
