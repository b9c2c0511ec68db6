"""`dbutils.fs`: files of volumes, of the workspace, of dbfs:/ and of the machine."""

from __future__ import annotations

import posixpath
import re
import shutil
from collections import namedtuple
from typing import TYPE_CHECKING

from laketop.errors import LaketopError

if TYPE_CHECKING:
    from pathlib import Path

    from laketop.runner.paths import Places

_DATASETS = "/databricks-datasets"
_VOLUME_SLASHES = 4


class FileInfo(namedtuple("FileInfo", ["path", "name", "size", "modificationTime"])):  # noqa: PYI024 - the SDK's own shape
    """One entry of `ls`; the name of a folder ends in `/`. Units: bytes, epoch ms."""

    __slots__ = ()

    def isDir(self) -> bool:  # noqa: N802 - the platform's name
        """Return whether it is a folder."""
        return bool(self.name.endswith("/"))

    def isFile(self) -> bool:  # noqa: N802 - the platform's name
        """Return whether it is a file."""
        return not self.isDir()


class FileSystem:
    """`dbutils.fs`, on the places that the workspace keeps its trees in."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def ls(self, path: str) -> list[FileInfo]:
        """Return the entries of a folder, sorted by name, or of one file.

        `/Volumes` holds catalogs, these schemas, and these volumes.
        Errors: FileNotFoundError.
        """
        entries = self._places.above_volumes(path.removeprefix("dbfs:"))
        if entries is None:
            place = self._existing(path)
            if place.is_file():
                return [_info(path, place)]
            entries = sorted(place.iterdir())
        return [_info(f"{path.rstrip('/')}/{entry.name}", entry) for entry in entries]

    def head(self, file: str, max_bytes: int = 65536, maxBytes: int | None = None) -> str:  # noqa: N803 - the SDK's other name
        """Return the start of a file as text, at most `max_bytes`.

        Errors: FileNotFoundError.
        """
        with self._existing(file).open("rb") as content:
            return content.read(max_bytes if maxBytes is None else maxBytes).decode(
                "utf-8", "replace"
            )

    def put(self, file: str, contents: str, overwrite: bool = False) -> bool:
        """Write text to a file.

        Errors: FileExistsError without `overwrite`.
        """
        place = self._place(file)
        if place.exists() and not overwrite:
            raise FileExistsError(f"{file!r} exists; pass overwrite=True to replace it")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(contents.encode())
        return True

    def mkdirs(self, dir: str) -> bool:  # noqa: A002 - the platform's name
        """Make a folder and those above it."""
        self._place(dir).mkdir(parents=True, exist_ok=True)
        return True

    def rm(self, dir: str, recurse: bool = False) -> bool:  # noqa: A002 - the platform's name
        """Remove a file or folder; return False if there is none. A volume is only emptied.

        Errors: OSError for a folder with content, or a volume, without `recurse`.
        """
        place = self._place(dir)
        if self._is_volume(dir):
            if not recurse:
                raise OSError(f"{dir!r} is a volume; recurse=True empties it, DROP VOLUME drops it")
            for inside in place.resolve().iterdir() if place.is_dir() else ():
                _remove(inside)
            return True
        if not place.exists() and not place.is_symlink():
            return False
        if recurse or not place.is_dir() or place.is_symlink():
            _remove(place)
        elif any(place.iterdir()):
            raise OSError(f"{dir!r} is a folder that is not empty; pass recurse=True to remove it")
        else:
            place.rmdir()
        return True

    def cp(
        self,
        source: str | None = None,
        dest: str | None = None,
        recurse: bool = False,
        *,
        from_: str | None = None,
        to: str | None = None,
    ) -> bool:
        """Copy a file, or with `recurse` a folder.

        Errors: FileNotFoundError, IsADirectoryError without `recurse`.
        """
        origin, goal, place = self._pair(source or from_, dest or to)
        if origin.is_dir():
            if not recurse:
                raise IsADirectoryError(f"{source or from_!r} is a folder; pass recurse=True")
            shutil.copytree(origin, goal, dirs_exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, place)
        return True

    def mv(
        self,
        source: str | None = None,
        dest: str | None = None,
        recurse: bool = False,
        *,
        from_: str | None = None,
        to: str | None = None,
    ) -> bool:
        """Move a file, or with `recurse` a folder; of a volume all that is in it.

        Errors: as `cp`.
        """
        self.cp(source or from_, dest or to, recurse)
        return self.rm(str(source or from_), recurse=True)

    def _pair(self, source: str | None, dest: str | None) -> tuple[Path, Path, Path]:
        if source is None or dest is None:
            raise TypeError("source and dest are both needed")
        origin, goal = self._existing(source), self._place(dest)
        into = goal / origin.name if goal.is_dir() or dest.endswith("/") else goal
        return origin, goal, into

    def _existing(self, path: str) -> Path:
        below = path.removeprefix("dbfs:").rstrip("/")
        if below == _DATASETS or below.startswith(f"{_DATASETS}/"):
            return self._of_datasets(below)
        place = self._place(path)
        if not place.exists():
            raise FileNotFoundError(f"no such file or directory: {path!r}")
        return place

    def _of_datasets(self, path: str) -> Path:
        top = self._places.datasets
        place = top / path.removeprefix(_DATASETS).lstrip("/")
        if not place.exists() or not place.resolve().is_relative_to(top.resolve()):
            raise FileNotFoundError(
                f"no such file or directory: {path!r}; what laketop has of {_DATASETS} is made"
                " when Spark first reads it"
            )
        return place

    def _place(self, path: str) -> Path:
        scheme, colon, rest = path.partition(":")
        if not colon or "/" in scheme:
            scheme, rest = "dbfs", path
        below = "/" + rest.lstrip("/")
        if scheme == "file":
            return self._places.file(below)
        if scheme != "dbfs":
            raise LaketopError(
                f"{path!r} is in no file system that is here",
                hint="dbutils.fs knows /Volumes/.., /Workspace/.., dbfs:/.. and file:/..",
            )
        if below.startswith("/Volumes/"):
            return self._volume(below)
        if below == "/Workspace" or below.startswith("/Workspace/"):
            return self._places.file(below)
        return self._dbfs(below)

    def _volume(self, path: str) -> Path:
        place = self._places.volume(path)
        if place is None:
            name = ".".join(path.split("/")[2:5])
            raise FileNotFoundError(f"no volume {name!r}, named by {path!r}")
        return place

    def _is_volume(self, path: str) -> bool:
        """Tell whether a path is that of a volume itself, however it is spelled."""
        below = re.sub("^dbfs:|^file:(/+dbfs(?=/))?", "", path)
        below = posixpath.normpath("/" + below.lstrip("/"))
        is_top = below.startswith("/Volumes/") and below.count("/") == _VOLUME_SLASHES
        return is_top and self._places.volume(below) is not None

    def _dbfs(self, path: str) -> Path:
        top = self._places.dbfs
        top.mkdir(parents=True, exist_ok=True)
        place = top / path[1:]
        if not place.resolve().is_relative_to(top.resolve()):
            raise FileNotFoundError(f"{path!r} leads out of dbfs:/")
        return place


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink()


def _info(path: str, place: Path) -> FileInfo:
    status = place.stat()
    folder = place.is_dir()
    bare = path.partition(":")[2] if ":" in path else path
    scheme = "file" if path.startswith("file:") else "dbfs"
    full = f"{scheme}:/{bare.strip('/')}" + ("/" if folder else "")
    name = place.name + ("/" if folder else "")
    size = 0 if folder else status.st_size
    return FileInfo(full, name, size, int(status.st_mtime * 1000))
