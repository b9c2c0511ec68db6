"""Wheels of a task, unpacked once for each content, as folders for the front of sys.path."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from pathlib import Path

from packaging.tags import Tag, sys_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from laketop.errors import ConfigError


def unpack(wheel: Path, cache: Path) -> Path:
    """Return the folder below `cache` that holds the content of `wheel`, unpacked if it is new.

    `importlib.metadata` finds the distribution in it once the folder is on sys.path.
    Errors: ConfigError if it is no wheel, or none for this interpreter.
    """
    _check_tags(wheel)
    try:
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    except FileNotFoundError:
        raise ConfigError(f"there is no wheel {str(wheel)!r}", hint="was it built?") from None
    folder = cache / digest[:32]
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=cache))
    try:
        _extract(wheel, draft)
        draft.replace(folder)
    except OSError:
        if not folder.is_dir():  # another task may have been faster
            raise
    except zipfile.BadZipFile as error:
        raise ConfigError(f"{wheel.name!r} is not a wheel: {error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def version_of(wheel: Path) -> Version:
    """Return the version that the name of a wheel states.

    Errors: ConfigError if it is not the name of a wheel.
    """
    return _parse(wheel)[0]


def _check_tags(wheel: Path) -> None:
    _, tags = _parse(wheel)
    if tags.isdisjoint(sys_tags()):
        names = ", ".join(sorted(map(str, tags)))
        raise ConfigError(f"wheel {wheel.name!r} is for {names}, not for this interpreter")


def _parse(wheel: Path) -> tuple[Version, frozenset[Tag]]:
    try:
        _, version, _, tags = parse_wheel_filename(wheel.name)
    except InvalidWheelFilename as error:
        raise ConfigError(f"{wheel.name!r} is not the name of a wheel") from error
    return version, tags


def _extract(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)  # which keeps names inside it
    for data in list(folder.glob("*.data")):
        for scheme in ("purelib", "platlib"):
            if (data / scheme).is_dir():
                shutil.copytree(data / scheme, folder, dirs_exist_ok=True)
        shutil.rmtree(data)
