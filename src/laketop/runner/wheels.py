"""Wheels of a task, unpacked once for each content, as folders for the front of sys.path."""

from __future__ import annotations

import hashlib
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from packaging.tags import Tag, sys_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from laketop.errors import ConfigError

MOST_ENTRIES = 10_000
MOST_BYTES = 500_000_000
MOST_RATIO = 100
"""What a wheel may unpack to: entries, bytes, bytes for each byte. Source: reliability S10."""


def unpack(wheel: Path, cache: Path) -> Path:
    """Return the folder below `cache` that holds the content of `wheel`, unpacked if it is new.

    `importlib.metadata` finds the distribution in it once the folder is on sys.path.
    Errors: ConfigError if it is no wheel, none for this interpreter, or one that would unpack to
    too much or to anything but plain files below its folder; nothing of it is left then.
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
        _check_sizes(wheel, archive.infolist())
        for entry in archive.infolist():
            place = folder / _checked(wheel, entry)
            if entry.is_dir():
                place.mkdir(parents=True, exist_ok=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, place.open("xb") as file:
                shutil.copyfileobj(source, file)  # no more than its header says
    for data in list(folder.glob("*.data")):
        for scheme in ("purelib", "platlib"):
            if (data / scheme).is_dir():
                shutil.copytree(data / scheme, folder, dirs_exist_ok=True)
        shutil.rmtree(data)


def _check_sizes(wheel: Path, entries: Sequence[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_ENTRIES:
        raise ConfigError(
            f"wheel {wheel.name!r} has {len(entries)} entries, more than {MOST_ENTRIES}"
        )
    size = sum(entry.file_size for entry in entries)
    if size > MOST_BYTES:
        raise ConfigError(f"wheel {wheel.name!r} unpacks to {size} bytes, more than {MOST_BYTES}")
    if size > MOST_RATIO * max(wheel.stat().st_size, 1):
        raise ConfigError(
            f"wheel {wheel.name!r} unpacks to {size} bytes, more than {MOST_RATIO} times its size"
        )


def _checked(wheel: Path, entry: zipfile.ZipInfo) -> str:
    """Return the name of an entry that is a plain file or folder, below the folder it goes to."""
    name = entry.filename
    parts = name.rstrip("/").split("/")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if any(part in {"", ".", ".."} for part in parts) or "\\" in name or ":" in parts[0]:
        raise ConfigError(f"wheel {wheel.name!r} has an entry {name!r}, which leaves its folder")
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise ConfigError(f"entry {name!r} of wheel {wheel.name!r} is neither a file nor a folder")
    return name
