"""Environments made of what a model asks for, its lock or its requirements, and of nothing else."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from laketop.ml.locks import LOCK_FILE, pins

_SECRETS = ("DATABRICKS_TOKEN", "SPARK_REMOTE")
_FAILED = "the model's environment cannot be built"
_HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
_MADE_WITH = re.compile(r"^python:\s*['\"]?(\d+\.\d+)", re.MULTILINE)


Step = Callable[..., str]
"""Runs one command of several that share their time."""


class StepFailed(Exception):
    """A step did not work; the sentence says which and why."""


def requirements_of(model: Path) -> Path:
    """Return the file by which the environment of the model in this folder is made.

    That is its lock, or its requirements file where it has no lock.
    Errors: StepFailed when it has neither.
    """
    there = [model / name for name in (LOCK_FILE, "requirements.txt")]
    requirements = next((file for file in there if file.exists()), None)
    if requirements is None:
        raise StepFailed("the model has no requirements.txt to build an environment from")
    return requirements


def python_of(model: Path) -> str:
    """Return the version of Python, as "3.11", that made the model in this folder.

    Source: `python_env.yaml`, which MLflow writes; without it the version that runs here.
    """
    file = model / "python_env.yaml"
    found = _MADE_WITH.search(file.read_text(encoding="utf-8")) if file.is_file() else None
    return found[1] if found else _HERE


def built_for(model: Path, place: Path, *, offline: bool, step: Step) -> Path:
    """Return the Python of a new environment in `place` for the model in this folder.

    Errors: those of `requirements_of` and `built`.
    """
    requirements = requirements_of(model)
    return built(place, requirements, version=python_of(model), offline=offline, step=step)


def built(
    place: Path, requirements: Path, *, offline: bool, step: Step, version: str = _HERE
) -> Path:
    """Return the Python of a new environment in `place` with these requirements.

    Packages come through uv, or where that is not installed through pip, as they are set up here;
    what uv is to check by hashes, every requirement, from its cache where all of it is there.
    Another version of Python than the one that runs here is uv's to find. Paths among the
    requirements are of the folder that their file lies in.
    `step` runs the installer, as `within` gives it.
    Errors: StepFailed with what the installer said; those of `step`.
    """
    python = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    folder = requirements.parent
    uv = uv_program()
    if uv is None:
        if offline:
            raise StepFailed(f"{_FAILED}: offline it takes uv, which is not installed")
        if version != _HERE:
            raise StepFailed(f"{_FAILED}: Python {version} takes uv, which is not installed")
        step([sys.executable, "-m", "venv", str(place)], _FAILED)
        install = [str(python), "-I", "-m", "pip", "install", "-q", "-r", str(requirements)]
        step(install, _FAILED, folder)
        return python
    cache_only = ["--offline"] if offline else []
    chosen = sys.executable if version == _HERE else version
    without = _FAILED if version == _HERE else f"{_FAILED} without Python {version}"
    step([uv, "venv", "-q", "--python", chosen, str(place), *cache_only], without)
    install = [uv, "pip", "install", "-q", "--python", str(python), "-r", str(requirements)]
    if not offline and _is_hashed(requirements.read_text(encoding="utf-8")):
        with contextlib.suppress(StepFailed):  # a hash names the same file, cached or fetched
            step([*install, "--offline"], _FAILED, folder)
            return python
    step([*install, *cache_only], _FAILED, folder)
    return python


def within(timeout: float) -> Step:
    """Return what runs commands, in a folder or right here, all of them in so many seconds.

    It takes a command, what to say when it fails, and the folder; it returns what was printed.
    Errors, of what is returned: those of `ran`, TimeoutExpired after `timeout` seconds in all.
    """
    deadline = time.monotonic() + timeout

    def step(command: list[str], failed: str, folder: Path | None = None) -> str:
        try:
            return ran(command, failed, max(deadline - time.monotonic(), 0), folder=folder)
        except subprocess.TimeoutExpired as expired:
            raise subprocess.TimeoutExpired(expired.cmd, timeout) from None

    return step


def _is_hashed(requirements: str) -> bool:
    """Return whether requirements are a lock: each a version, with the hashes of its files."""
    try:
        return bool(pins(requirements))
    except ValueError:
        return False


def resolver_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for uv: no secret of the workspace, pip's index where uv has none.

    The system's certificates are trusted, as pip does.
    """
    kept = {name: environment[name] for name in environment if name not in _SECRETS}
    kept.setdefault("UV_SYSTEM_CERTS", "1")
    index = kept.get("PIP_INDEX_URL")
    if index and not any(name in kept for name in ("UV_INDEX_URL", "UV_DEFAULT_INDEX")):
        kept["UV_DEFAULT_INDEX"] = index
    return kept


def uv_program() -> str | None:
    """Return where uv lies, None where it is not installed."""
    with contextlib.suppress(ImportError, FileNotFoundError):
        from uv import find_uv_bin

        return str(find_uv_bin())
    return shutil.which("uv")


def ran(command: list[str], failed: str, timeout: float, *, folder: Path | None = None) -> str:
    """Return what a command printed, run in `folder` or right here, without the workspace's token.

    Errors: StepFailed, `failed` and what it said, when it fails; TimeoutExpired.
    """
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        cwd=folder,
        env=resolver_environment(os.environ),
    )
    if done.returncode != 0:
        raise StepFailed(f"{failed}: {_gist(done.stderr) or f'exit code {done.returncode}'}")
    return done.stdout


def _gist(printed: str) -> str:
    """Return what an installer printed, which begins with the package, or a traceback's end."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    return " ".join(lines[-3:] if len(lines) > 12 else lines)
