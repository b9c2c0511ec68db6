"""Projects that a task installs in place, `-e FOLDER`: their source is used as it lies there."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from laketop.errors import ConfigError, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FLAGS: Final = ("-e", "--editable")
_URI: Final = "-e file://"
_EXTRAS: Final = re.compile(r"(.+?)(\[[\w., -]+\])?", re.DOTALL)
_BUILD_FILES: Final = ("pyproject.toml", "setup.cfg", "setup.py")
_NOT_SOURCE: Final = frozenset({"__pycache__", "node_modules"})


def requirement(text: str, place: Callable[[str], Path]) -> str:
    """Return what asks the resolver for the project in a folder, perhaps with extras.

    `place` gives the folder of a path. Errors: Refused for an address, ConfigError where there is
    no project.
    """
    if not text:
        raise Refused("-e without a folder", hint="name the folder of a project")
    if "://" in text:
        raise Refused(f"{text!r} in place", hint="clone it, or leave out the -e")
    path, extras = _EXTRAS.fullmatch(text).groups("")  # type: ignore[union-attr]  # all match
    folder = place(path)
    if not any((folder / name).is_file() for name in ("pyproject.toml", "setup.py")):
        raise ConfigError(
            f"there is no project to install in {str(folder)!r}",
            hint="-e names a folder with a pyproject.toml or a setup.py",
        )
    return f"-e {folder.absolute().as_uri()}{extras}"


def is_requirement(text: str) -> bool:
    """Return whether a requirement is one that `requirement` made."""
    return text.startswith(_URI)


def name_of(text: str) -> str | None:
    """Return the name of the distribution that is asked for, None where only its build knows it."""
    try:
        content = tomllib.loads((_folder(text) / "pyproject.toml").read_text(encoding="utf-8"))
        return str(content["project"]["name"])
    except (OSError, KeyError, TypeError, ValueError):
        return None


def digest_of(text: str) -> str:
    """Return a digest of the files that say how the project is installed, not of its source."""
    digest = hashlib.sha256()
    for name in _BUILD_FILES:
        file = _folder(text) / name
        digest.update(file.read_bytes() if file.is_file() else b"")
        digest.update(b"\0")
    return digest.hexdigest()


def folders(site: Path) -> list[Path]:
    """Return the folders of source that the `.pth` files of installed projects lead to."""
    lines = (
        line.strip()
        for file in sorted(site.glob("*.pth"))
        for line in file.read_text(encoding="utf-8").splitlines()
    )
    return [Path(line) for line in lines if os.path.isabs(line) and Path(line).is_dir()]  # noqa: PTH117 - text, which may be code


def state_of(sources: Iterable[Path]) -> str:
    """Return a digest of the source below some folders, by sizes and times of its files."""
    digest = hashlib.sha256()
    for source in sources:
        for folder, names, files in os.walk(source):
            names[:] = sorted(n for n in names if n not in _NOT_SOURCE and not n.startswith("."))
            for name in sorted(files):
                try:
                    about = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - many files
                except OSError:  # a link to nowhere, or gone this moment
                    continue
                digest.update(f"{folder}/{name}:{about.st_size}:{about.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _folder(text: str) -> Path:
    path, _ = _EXTRAS.fullmatch(text.removeprefix(_URI)).groups()  # type: ignore[union-attr]
    return Path(unquote(path))
