"""Builds the artifacts of a bundle whose sources changed."""

from __future__ import annotations

import glob
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from laketop.bundle import Artifact, Bundle
from laketop.errors import LaketopError
from laketop.settings import Settings
from laketop.workspace.deployment.site import Say

_NOT_SOURCE = {".git", ".laketop", ".databricks", ".venv", "__pycache__", "build", "dist"}


def build(bundle: Bundle, settings: Settings, say: Say) -> bool:
    """Run the build commands of the artifacts whose sources changed; return whether one ran."""
    ran = False
    for artifact in bundle.artifacts:
        if not artifact.build:
            continue
        mark = settings.state / "builds" / f"{artifact.key}.sha256"
        digest = _digest(artifact)
        if _built(artifact) and mark.exists() and mark.read_text(encoding="ascii") == digest:
            continue
        say(f"building {artifact.key}")
        _run_build(artifact, settings)
        if not _built(artifact):
            raise LaketopError(
                f"artifact {artifact.key!r} has no file that matches {', '.join(artifact.files)}",
                hint=f"its build command {artifact.build!r} should write one",
            )
        mark.write_text(digest, encoding="ascii")
        ran = True
    return ran


def _run_build(artifact: Artifact, settings: Settings) -> None:
    log = settings.state / "builds" / f"{artifact.key}.log"
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with log.open("wb") as out:
        done = subprocess.run(
            _command(artifact, settings),
            cwd=artifact.path,
            env=settings.tool_environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise LaketopError(
            f"artifact {artifact.key!r} did not build: {artifact.build!r} ended with"
            f" {done.returncode}: {words[-1] if words else 'it said nothing'}",
            hint=f"its output is {log}",
        )


def _command(artifact: Artifact, settings: Settings) -> list[str]:
    """Return the build as its shell takes it; the shell stops at the first command that fails."""
    # A shell is found even where PATH says nothing, as the system finds it.
    path = os.pathsep.join([settings.tool_environment["PATH"], os.defpath])
    shell = shutil.which(artifact.executable, path=path)
    if shell is None:
        raise LaketopError(
            f"artifact {artifact.key!r} is built by {artifact.executable!r}, which is not here",
            hint="name another shell with: executable",
        )
    options = ["/D", "/E:ON", "/V:OFF", "/C"] if artifact.executable == "cmd" else ["-e", "-c"]
    return [shell, *options, artifact.build or ""]


def _built(artifact: Artifact) -> list[str]:
    return [file for pattern in artifact.files for file in glob.glob(pattern)]  # noqa: PTH207 - absolute patterns


def _digest(artifact: Artifact) -> str:
    told = hashlib.sha256(f"{artifact.executable} {artifact.build}".encode())
    for folder, folders, names in os.walk(artifact.path):
        folders[:] = sorted(f for f in folders if f not in _NOT_SOURCE and not f.endswith("-info"))
        for name in sorted(names):
            file = Path(folder, name)
            told.update(str(file.relative_to(artifact.path)).encode())
            told.update(file.read_bytes())
    return told.hexdigest()
