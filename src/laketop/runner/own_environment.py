"""The project's own environment, for tasks that declare none: its packages before laketop's.

A folder of links, made once for each state of the environment, holds what is there and not in the
interpreter in that very version. What speaks to the engine stays out, and so do the proprietary
packages whose import paths laketop provides.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import shutil
import sys
import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from laketop.runner.overlay import KEPT, installed_here
from laketop.runner.requirements import STOOD_IN, canonical

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDER: Final = ".venv"
_ACTIVE: Final = ("VIRTUAL_ENV", "CONDA_PREFIX")
_TOOLS: Final = frozenset({"pip", "setuptools", "wheel", "laketop"})
_NOT_TAKEN: Final = frozenset({"__pycache__", "bin"})


def own_environment(root: Path, environment: Mapping[str, str]) -> Path | None:
    """Return the folder of the environment of the project at `root`, None if tasks run in it.

    That is `.venv` beside databricks.yml, else the one that is active in the shell.
    """
    active = (Path(environment[name]) for name in _ACTIVE if environment.get(name))
    for folder in (root / FOLDER, *active):
        if folder.is_dir() and any(folder.glob("lib/python3*/site-packages")):
            return None if folder.resolve() == Path(sys.prefix).resolve() else folder
    return None


def declares_environment(task: Mapping[str, Any]) -> bool:
    """Return whether a task says what it needs."""
    return bool(task.get("environment_key") or task.get("libraries"))


def problem_of_version(environment: Path) -> str | None:
    """Return why the packages of an environment cannot be used, None if they can."""
    if _site(environment).is_dir():
        return None
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    found = sorted(folder.parent.name for folder in environment.glob("lib/*/site-packages"))
    theirs = found[0].removeprefix("python") if found else "another version"
    return (
        f"the packages of {environment} are for Python {theirs}, tasks run on {here}: "
        "they are not on the path"
    )


def links_to(environment: Path, cache: Path) -> Path:
    """Return the folder of links to what an environment has, for the front of sys.path.

    It lies below `cache` and is made if there is none for what the environment holds now.
    """
    site = _site(environment)
    return _links(site, cache, site.stat().st_mtime_ns)


@functools.lru_cache(maxsize=8)
def _links(site: Path, cache: Path, changed_ns: int) -> Path:
    taken = _taken(site)
    content = [str(site), changed_ns, sorted(taken.items())]
    folder = cache / "own" / hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder.parent))
    try:
        for name, target in taken.items():
            place = draft / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(target)
        draft.replace(folder)
    except OSError:
        if not folder.is_dir():  # another task may have been faster
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _taken(site: Path) -> dict[str, str]:
    """Return the places in the folder of links, and the file or folder that each leads to."""
    here = installed_here()
    found = list(importlib.metadata.distributions(path=[str(site)]))
    owners: dict[str, set[str]] = {}
    for each in found:
        for file in _files(each):
            owners.setdefault(file.parts[0], set()).add(_name(each))
    taken = {}
    for each in found:
        name = _name(each)
        if name in KEPT | STOOD_IN | _TOOLS or here.get(name) == each.version:
            continue
        for file in _files(each):
            # A folder that is one distribution's alone is one link, however much is in it.
            whole = owners[file.parts[0]] == {name}
            part = file.parts[0] if whole else str(file)
            taken[part] = str(site / part)
    return taken


def _files(distribution: importlib.metadata.Distribution) -> Iterator[PurePosixPath]:
    for file in distribution.files or ():
        if file.parts[0] not in {"..", "/"} and not _NOT_TAKEN & set(file.parts):
            yield file


def _name(distribution: importlib.metadata.Distribution) -> str:
    return canonical(distribution.metadata["Name"] or "")


def _site(environment: Path) -> Path:
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return environment / "lib" / version / "site-packages"
